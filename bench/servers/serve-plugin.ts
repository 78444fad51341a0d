/**
 * What the servers on the SDK have in common. What differs, how the plugin is called, is each server's
 * own file. Arguments: wasm file, function, optionally the URL of a module of host functions.
 */
import { readFileSync } from 'node:fs';
import createPlugin, { type Plugin } from '@extism/extism';
import { createApp, listen } from './create-app.ts';

const [file = '', functionName = '', hostModule] = process.argv.slice(2);
const bytes = readFileSync(file);
const functions = hostModule === undefined ? {} : { ...(await import(hostModule)) };

/** The plugin through the SDK as it is, from the wasm's bytes. */
export function loadPlugin(): Promise<Plugin> {
  return createPlugin({ wasm: [{ data: new Uint8Array(bytes) }] }, { useWasi: true, functions });
}

/** One call of the plugin. The copy is part of what the SDK needs: it keeps the buffer that it is given. */
export async function callPlugin(plugin: Plugin, body: Buffer): Promise<Buffer> {
  const output = await plugin.call(functionName, new Uint8Array(body));
  return Buffer.from(output?.bytes() ?? new Uint8Array());
}

/** A server that answers POST / with what `answer` makes of the body. */
export async function serve(answer: (body: Buffer) => Promise<Buffer>): Promise<void> {
  const app = createApp();
  app.post('/', async (request, reply) => {
    const output = await answer((request.body as Buffer | undefined) ?? Buffer.alloc(0));
    return reply.header('content-type', 'text/plain; charset=utf-8').send(output);
  });
  await listen(app);
}
