/**
 * The routes of the admin listener: `/metrics` and `/status` of the whole app, `/livez` and
 * `/readyz` of this worker alone. They can also be added to a scope of the public listener; access
 * is checked wherever they are.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LifecycleState } from '../lifecycle/state.ts';
import { type AccessOptions, createAccessCheck } from './access.ts';
import type { ClusterView } from './cluster-view.ts';

export interface AdminRoutesOptions extends AccessOptions {
  readonly cluster: Pick<ClusterView, 'metrics' | 'status'>;
  /** Of this worker. */
  readonly state: () => LifecycleState;
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

/** Adds hooks and routes to `app`, and to nothing outside its scope. */
export function addAdminRoutes(app: FastifyInstance, options: AdminRoutesOptions): void {
  const { cluster, state } = options;
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    done();
  });
  app.addHook('onRequest', createAccessCheck(options));
  get(app, '/metrics', async (_request, reply) => {
    const text = await cluster.metrics();
    // Kept open, the connection would tie a scraper to this one worker for ever.
    return reply.headers({ 'content-type': METRICS_TYPE, connection: 'close' }).send(text);
  });
  get(app, '/status', async (_request, reply) => sendJson(reply, 200, await cluster.status()));
  get(app, '/livez', (_request, reply) => reply.type('text/plain; charset=utf-8').send('ok'));
  get(app, '/readyz', (_request, reply) => {
    const now = state();
    const reasons = now === 'ready' ? [] : [`the worker is ${now}`];
    return sendJson(reply, now === 'ready' ? 200 : 503, { state: now, reasons });
  });
}

function get(
  app: FastifyInstance,
  url: string,
  handler: (request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>,
): void {
  app.route({ method: ['GET', 'HEAD'], url, handler });
}

function sendJson(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return reply.code(status).header('content-type', JSON_TYPE).send(JSON.stringify(body));
}
