/**
 * The admin listener: Fastify with the admin routes, the live page and nothing else, every limit set explicitly.
 * It does not listen yet; the composition in worker/ lets it, last, and closes it last.
 */
import fastify, { type FastifyInstance } from 'fastify';
import { ServerError } from '../errors.ts';
import { Connections } from '../http/connections.ts';
import { WITHOUT_SCHEMAS } from '../http/without-schemas.ts';
import { type AdminRoutesOptions, addAdminRoutes } from './admin-routes.ts';
import type { LiveFeed } from './live/live-feed.ts';
import { addLiveRoutes } from './live/live-routes.ts';
import { sendProblem } from './send-problem.ts';

export interface AdminServerOptions extends AdminRoutesOptions {
  /** Streams of the live page. */
  readonly live: LiveFeed;
  /** Begins every request id; different in each process. */
  readonly requestIdPrefix: string;
  /** One over it is destroyed at once. Default 256. */
  readonly maxConnections?: number;
}

const LIMITS = {
  bodyLimit: 16 * 1024,
  requestTimeout: 10_000,
  /** Without traffic, a client that does not read its reply included. */
  connectionTimeout: 10_000,
  keepAliveTimeout: 5000,
  http: { headersTimeout: 5000, connectionsCheckingInterval: 1000 },
} as const;

/** Makes the server; `app.close()` is idempotent and does not wait for clients. */
export function createAdminServer(options: AdminServerOptions): FastifyInstance {
  const { requestIdPrefix, maxConnections = 256 } = options;
  let lastId = 0;
  const app = fastify({
    ...LIMITS,
    ...WITHOUT_SCHEMAS,
    logger: false,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    requestIdHeader: false,
    genReqId: () => `${requestIdPrefix}${(++lastId).toString(36)}`,
  });
  new Connections(app.server, maxConnections);
  addAdminRoutes(app, options);
  addLiveRoutes(app, options.live);
  app.setNotFoundHandler((request, reply) => {
    const message = `no route for ${request.method} on this path`;
    sendProblem(reply, 404, new ServerError('ROUTE_NOT_FOUND', message));
  });
  return app;
}
