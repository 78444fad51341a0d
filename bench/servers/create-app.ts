/** Fastify as every Node server beside plugind uses it: bodies as bytes, the limits of the bench. */
import fastify, { type FastifyInstance } from 'fastify';

/** Of every contender, so that a body of 1 MiB fits. */
export const BODY_LIMIT_BYTES: number = 2 * 1024 * 1024;

export function createApp(): FastifyInstance {
  const app = fastify({ logger: false, bodyLimit: BODY_LIMIT_BYTES });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  return app;
}

/** Listens on a port of the system's choice and says so on stdout. */
export async function listen(app: FastifyInstance): Promise<void> {
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  process.stdout.write(`listening ${address}\n`);
}
