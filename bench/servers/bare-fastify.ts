/** A bare Fastify route that answers with its body: the cost of HTTP without a plugin. One process. */
import fastify from 'fastify';

const app = fastify({ logger: false });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/', (request, reply) => {
  reply.header('content-type', 'text/plain; charset=utf-8').send(request.body);
});
const address = await app.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`listening ${address}\n`);
