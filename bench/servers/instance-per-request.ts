/**
 * The article's second server on Node: one process, an instance made from the wasm's bytes for each
 * request. Arguments: wasm file, function.
 */
import { readFileSync } from 'node:fs';
import createPlugin from '@extism/extism';
import fastify from 'fastify';

const [file = '', functionName = ''] = process.argv.slice(2);
const bytes = readFileSync(file);

const app = fastify({ logger: false });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/', async (request, reply) => {
  const plugin = await createPlugin({ wasm: [{ data: new Uint8Array(bytes) }] }, {});
  const output = await plugin.call(functionName, new Uint8Array(request.body as Buffer));
  await plugin.close();
  return reply
    .header('content-type', 'application/json')
    .send(Buffer.from(output?.bytes() ?? new Uint8Array()));
});
const address = await app.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`listening ${address}\n`);
