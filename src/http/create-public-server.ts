/**
 * The public listener: Fastify with the configured routes and nothing else. Limits are set
 * explicitly, bodies stay bytes, and every error is a problem document.
 */
import { ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import type { HttpConfig, RouteConfig } from '../config/types.ts';
import { ServerError } from '../errors.ts';
import type { ServedPlugin } from '../plugin/served-plugin.ts';
import { Connections } from './connections.ts';
import { createPluginRoute } from './plugin-route.ts';
import { problemBody } from './problem.ts';
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
    exposeHeadRoutes: false,
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: () => `${options.requestIdPrefix}${(++lastId).toString(36)}`,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => {
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
  const isClients = thrown.statusCode !== undefined && thrown.statusCode < 500;
  return ServerError.from(thrown, isClients ? 'BAD_REQUEST' : 'INTERNAL');
}

/** What Node's parser refused, before there is a request: answered on the bare socket, which is then closed. */
function answerBrokenRequest(this: unknown, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? 408
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? 431
        : 400;
  const problem = new ServerError(
    'BAD_REQUEST',
    REASONS[status] ?? 'the request is not valid HTTP/1.1',
  );
  const body = problemBody(problem, status, '');
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

const REASONS: Readonly<Record<number, string>> = {
  408: 'the request did not arrive in time',
  431: 'the request head is larger than 16 KiB',
};

/** Whether a reply has begun on this socket; a second head in its middle would corrupt it. */
function isAnswering(socket: Socket): boolean {
  const message = (socket as { _httpMessage?: unknown })._httpMessage;
  return message instanceof ServerResponse && message.headersSent;
}
