/**
 * The article's first server on Node: one plugin, no lock, and it answers wrong. Calls that are made
 * in one turn of the event loop overlap inside the SDK, and the earlier gets the later one's output.
 * A handler that calls at once seldom shows it, since each POST body arrives in a turn of its own, so
 * this one does what servers do that look something up first: the requests that came meanwhile wait at
 * a gate and are let through together. GET takes its input from the query (`?id=`), which has no body to wait for.
 */
import { createApp, listen } from './create-app.ts';
import { callPlugin, loadPlugin } from './serve-plugin.ts';

/** How long a look-up takes. */
const GATE_MS = 2;

const plugin = await loadPlugin();
let gate: Promise<void> | null = null;

function passGate(): Promise<void> {
  gate ??= new Promise<void>((open) => {
    setTimeout(() => {
      gate = null;
      open();
    }, GATE_MS);
  });
  return gate;
}

const app = createApp();
app.route({
  method: ['GET', 'POST'],
  url: '/',
  handler: async (request, reply) => {
    await passGate();
    const { id = '' } = request.query as { id?: string };
    const input = (request.body as Buffer | undefined) ?? Buffer.from(id);
    const output = await callPlugin(plugin, input);
    return reply.header('content-type', 'text/plain; charset=utf-8').send(output);
  },
});
await listen(app);
