/**
 * The article's Node version: one process, one plugin of the SDK, a promise chain as its mutex.
 * Arguments: wasm file, function.
 */
import createPlugin from '@extism/extism';
import fastify from 'fastify';

const [file = '', functionName = ''] = process.argv.slice(2);
const plugin = await createPlugin({ wasm: [{ path: file }] }, { useWasi: true });
let last: Promise<unknown> = Promise.resolve();

const app = fastify({ logger: false });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/', async (request, reply) => {
  const turn = last.then(() => plugin.call(functionName, new Uint8Array(request.body as Buffer)));
  last = turn.catch(() => {});
  const output = await turn;
  return reply
    .header('content-type', 'application/json')
    .send(Buffer.from(output?.bytes() ?? new Uint8Array()));
});
const address = await app.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`listening ${address}\n`);
