/**
 * The routes of the admin listener: `/metrics` and `/status` of the whole app, `/livez` and
 * `/readyz` of this worker alone. They can also be added to a scope of the public listener; access
 * is checked wherever they are.
 */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ServerError } from '../errors.ts';
import type { RequestName } from '../http/reply-writer.ts';
import { traceFields } from '../http/traceparent.ts';
import type { LifecycleState } from '../lifecycle/state.ts';
import { type AccessOptions, createAccessCheck } from './access.ts';
import type { PrimaryReply } from './ask-primary.ts';
import type { ClusterView } from './cluster-view.ts';
import { sendProblem } from './send-problem.ts';

export interface AdminRoutesOptions extends AccessOptions {
  readonly cluster: Pick<ClusterView, 'metrics' | 'status'>;
  /** Of this worker. */
  readonly state: () => LifecycleState;
  /** Further reasons of the primary's why this app is not ready. Default none. */
  readonly notReady?: () => readonly string[];
  /** Whether this worker leaves while others serve on, so that the app is ready all the same. Default never. */
  readonly isRetired?: () => boolean;
  /** Asks the primary for a roll. Default: there is no primary of ours, as under pm2. */
  readonly reload?: () => Promise<PrimaryReply>;
  /** Told of each error that is ours (`INTERNAL`), for the log. */
  readonly onInternalError: (error: ServerError, request: RequestName) => void;
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

/** Adds hooks, an error handler and routes to `app`, and to nothing outside its scope. */
export function addAdminRoutes(app: FastifyInstance, options: AdminRoutesOptions): void {
  const { cluster, state, notReady = () => [], isRetired = () => false } = options;
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    // Whoever polls here on one connection is to find those who stay.
    if (isRetired()) reply.header('connection', 'close');
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
    const isUp = now === 'ready' || isRetired();
    const reasons = [...(isUp ? [] : [`the worker is ${now}`]), ...notReady()];
    return sendJson(reply, reasons.length === 0 ? 200 : 503, { state: now, reasons });
  });
  addReloadRoute(app, options);
  app.setErrorHandler((thrown: FastifyError, request, reply) => {
    const status = thrown.statusCode ?? 500;
    const isOurs = status >= 500;
    const error = ServerError.from(thrown, isOurs ? 'INTERNAL' : 'BAD_REQUEST');
    if (isOurs) {
      const trace = traceFields(request.raw.headers.traceparent);
      options.onInternalError(error, { requestId: request.id, ...trace });
    }
    return sendProblem(reply, status, error);
  });
}

/** `POST /-/reload`: 202 with the roll, whose id `/status` shows among `primary.rolls`. */
function addReloadRoute(app: FastifyInstance, { token, reload }: AdminRoutesOptions): void {
  app.post('/-/reload', async (request, reply) => {
    // No page of another site can send this header unasked. Where there is a token it was checked.
    if (token === null && request.headers['x-plugind'] !== '1') {
      const error = new ServerError('BAD_REQUEST', 'the header "x-plugind: 1" is needed');
      return sendProblem(reply, 403, error);
    }
    const answer = await reload?.();
    if (answer !== undefined) return sendJson(reply, answer.status, JSON.parse(answer.body));
    const message = 'there is no primary of plugind here: reload with "npm run reload" (pm2)';
    return sendProblem(reply, 409, new ServerError('BAD_REQUEST', message));
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
