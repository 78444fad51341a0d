/**
 * Fastify without a plugin, answering with the body: what HTTP alone costs. Argument: processes, by
 * node:cluster when it is more than one.
 */
import cluster from 'node:cluster';
import { createApp } from './create-app.ts';

const processes = Number(process.argv[2] ?? 1);

if (cluster.isPrimary && processes > 1) {
  let listening = 0;
  cluster.on('listening', (_worker, { port }) => {
    listening++;
    if (listening === processes) process.stdout.write(`listening http://127.0.0.1:${port}\n`);
  });
  for (let index = 0; index < processes; index++) cluster.fork();
} else {
  const app = createApp();
  app.post('/', (request, reply) => {
    reply.header('content-type', 'text/plain; charset=utf-8').send(request.body);
  });
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  if (cluster.isPrimary) process.stdout.write(`listening ${address}\n`);
}
