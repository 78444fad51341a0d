/**
 * The public listener: Fastify with the configured routes and nothing else. Limits are set
 * explicitly, bodies stay bytes, and every error is a problem document.
 */
import { maxHeaderSize } from 'node:http';
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import type { HttpConfig, RouteConfig } from '../config/types.ts';
import { ServerError } from '../errors.ts';
import type { ServedPlugin } from '../plugin/served-plugin.ts';
import { answerBrokenRequest } from './answer-broken-request.ts';
import { Connections } from './connections.ts';
import { createPluginRoute } from './plugin-route.ts';
import { ReplyWriter, type ReplyWriterOptions } from './reply-writer.ts';
import { statusOf } from './status.ts';

export interface PublicServerOptions extends ReplyWriterOptions {
  readonly http: HttpConfig;
  readonly routes: readonly RouteConfig[];
  /** Every plugin that a route names. */
  readonly plugins: ReadonlyMap<string, ServedPlugin>;
  /** Begins every request id; different in each process. */
  readonly requestIdPrefix: string;
  /** Told of each error that is ours (`INTERNAL`), for the log. */
  readonly onInternalError: (error: ServerError, requestId: string) => void;
}

export interface PublicServer {
  readonly app: FastifyInstance;
  readonly connections: Connections;
}

/** How often Node looks for requests that ran out of time. */
const CHECK_INTERVAL_MS = 1000;

/** Fastify answers 415 to a type that it cannot read. A plugin takes any, so Fastify is shown none. */
const ANY_TYPE = { 'content-type': undefined };

/** Makes the server; it does not listen yet. */
export function createPublicServer(options: PublicServerOptions): PublicServer {
  const { http, clock } = options;
  let lastId = 0;
  const app = fastify({
    logger: false,
    bodyLimit: http.bodyLimitBytes,
    requestTimeout: http.requestTimeoutMs,
    keepAliveTimeout: http.keepAliveTimeoutMs,
    http: { headersTimeout: http.headersTimeoutMs, connectionsCheckingInterval: CHECK_INTERVAL_MS },
    // The default of 100 characters would refuse long path parameters; Node's limit of the head is enough.
    routerOptions: { maxParamLength: maxHeaderSize },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: () => `${options.requestIdPrefix}${(++lastId).toString(36)}`,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => {
      request.arrivedAt = clock();
      const problem = describe(error);
      writer.sendProblem(request, reply, statusOf(problem, null), problem);
    },
  });
  const writer = new ReplyWriter(options);
  const connections = new Connections(app.server, http.maxConnections);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.decorateRequest('arrivedAt', 0);
  app.addHook('onRequest', (request, _reply, done) => {
    request.arrivedAt = clock();
    if (request.raw.headers['content-type'] !== undefined) request.headers = ANY_TYPE;
    done();
  });
  app.setNotFoundHandler((request, reply) => {
    const error = new ServerError('ROUTE_NOT_FOUND', `no route for ${request.method} on this path`);
    writer.sendProblem(request, reply, statusOf(error, null), error);
  });
  app.setErrorHandler((thrown: FastifyError, request, reply) => {
    const error = describe(thrown);
    if (error.code === 'INTERNAL') options.onInternalError(error, request.id);
    writer.sendProblem(request, reply, statusOf(error, null), error);
  });
  for (const route of options.routes) {
    const plugin = options.plugins.get(route.plugin) as ServedPlugin;
    app.route({
      method: [...route.methods],
      url: route.path,
      handler: createPluginRoute({ route, plugin, connections, writer }),
    });
  }
  return { app, connections };
}

/** Fastify's errors say by status what the client did wrong. */
function describe(thrown: FastifyError): ServerError {
  if (thrown instanceof ServerError) return thrown;
  if (thrown.statusCode === 413)
    return new ServerError('BODY_TOO_LARGE', thrown.message, { cause: thrown });
  if (thrown.code === 'ECONNRESET') return ServerError.from(thrown, 'CLIENT_CLOSED');
  const isClients = thrown.statusCode !== undefined && thrown.statusCode < 500;
  return ServerError.from(thrown, isClients ? 'BAD_REQUEST' : 'INTERNAL');
}
