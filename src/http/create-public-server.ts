/**
 * The public listener: Fastify with the configured routes and nothing else. Limits are set
 * explicitly, bodies stay bytes, and every error is a problem document.
 */
import { type IncomingMessage, maxHeaderSize, type Server, type ServerResponse } from 'node:http';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { HttpConfig, RouteConfig } from '../config/types.ts';
import { ServerError } from '../errors.ts';
import type { ServedPlugin } from '../plugin/served-plugin.ts';
import { answerBrokenRequest } from './answer-broken-request.ts';
import { Connections } from './connections.ts';
import { isTooLate } from './linger.ts';
import { createPluginRoute } from './plugin-route.ts';
import { ReplyWriter, type ReplyWriterOptions } from './reply-writer.ts';
import { statusOf } from './status.ts';
import { type ListenerGauges, Traffic } from './traffic.ts';
import { WITHOUT_SCHEMAS } from './without-schemas.ts';

export interface PublicServerOptions extends Omit<ReplyWriterOptions, 'sendTimeoutMs'> {
  readonly http: HttpConfig;
  readonly routes: readonly RouteConfig[];
  /** Every plugin that a route names. */
  readonly plugins: ReadonlyMap<string, ServedPlugin>;
  /** Begins every request id; different in each process. */
  readonly requestIdPrefix: string;
  /** Adds routes that are no plugin's, with hooks of their own, to a scope of theirs; null for none. */
  readonly addFurtherRoutes: ((scope: FastifyInstance) => void) | null;
}

export interface PublicServer {
  readonly app: FastifyInstance;
  readonly connections: Connections;
  readonly gauges: ListenerGauges;
}

/** How often Node looks for requests that ran out of time. */
const CHECK_INTERVAL_MS = 1000;

const NO_HOST = 'a request of HTTP/1.1 must name its host';
const CLIENT_CLOSED_STATUS = statusOf(new ServerError('CLIENT_CLOSED', ''), null);

/** Fastify answers 415 to a type that it cannot read. A plugin takes any, so Fastify is shown none. */
const ANY_TYPE = { 'content-type': undefined };

/** Makes the server; it does not listen yet. */
export function createPublicServer(options: PublicServerOptions): PublicServer {
  const { http } = options;
  const traffic = new Traffic();
  let lastId = 0;
  const app = fastify({
    ...WITHOUT_SCHEMAS,
    logger: false,
    bodyLimit: http.bodyLimitBytes,
    requestTimeout: http.requestTimeoutMs,
    keepAliveTimeout: http.keepAliveTimeoutMs,
    http: {
      headersTimeout: http.headersTimeoutMs,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      // Node would answer unseen; the first hook asks for it instead.
      requireHostHeader: false,
    },
    // The default of 100 characters would refuse long path parameters; Node's limit of the head is enough.
    routerOptions: { maxParamLength: maxHeaderSize },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: () => `${options.requestIdPrefix}${(++lastId).toString(36)}`,
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket, traffic),
    frameworkErrors: (error, request, reply) => {
      writer.received(request);
      refuse(request, reply, describe(error));
    },
  });
  const connections = new Connections(app.server, http.maxConnections, () =>
    traffic.reject('connection_limit'),
  );
  const writer = new ReplyWriter(
    { ...options, sendTimeoutMs: http.sendTimeoutMs },
    connections,
    traffic,
  );
  const refuse = (request: FastifyRequest, reply: FastifyReply, error: ServerError): void => {
    traffic.rejectWith(error.code);
    writer.sendProblem(request, reply, statusOf(error, null), error);
  };
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.decorateRequest('arrivedAt', 0);
  addFirstHook(app, writer, traffic);
  app.setNotFoundHandler((request, reply) => {
    const message = `no route for ${request.method} on this path`;
    refuse(request, reply, new ServerError('ROUTE_NOT_FOUND', message));
  });
  app.setErrorHandler((thrown: FastifyError, request, reply) => {
    refuse(request, reply, describe(thrown));
  });
  for (const route of options.routes) {
    const plugin = options.plugins.get(route.plugin) as ServedPlugin;
    app.route({
      method: [...route.methods],
      url: route.path,
      handler: createPluginRoute({ route, plugin, connections, writer }),
    });
  }
  if (options.addFurtherRoutes !== null) addScope(app, writer, options.addFurtherRoutes);
  refuseWhatNodeWould(app.server, traffic);
  return { app, connections, gauges: gaugesOf(connections, traffic) };
}

function addFirstHook(app: FastifyInstance, writer: ReplyWriter, traffic: Traffic): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (isTooLate(request.raw)) {
      reply.hijack();
      return;
    }
    writer.received(request);
    if (namesNoHost(request.raw)) {
      traffic.reject('malformed');
      reply.raw.shouldKeepAlive = false;
      writer.sendProblem(request, reply, 400, new ServerError('BAD_REQUEST', NO_HOST));
      return;
    }
    if (request.raw.headers['content-type'] !== undefined) request.headers = ANY_TYPE;
    done();
  });
}

function gaugesOf(connections: Connections, traffic: Traffic): ListenerGauges {
  return {
    connections: () => connections.count,
    requestsInFlight: () => traffic.inFlight,
    rejected: () => traffic.rejected,
  };
}

/** Replies there go Fastify's own way, but count and end connections like all others. */
function addScope(
  app: FastifyInstance,
  writer: ReplyWriter,
  addRoutes: (scope: FastifyInstance) => void,
): void {
  void app.register((scope, _options, registered) => {
    scope.addHook('onRequest', (request, { raw }, done) => {
      const { socket } = request.raw;
      let hasEnded = false;
      const end = (): void => {
        // Whoever closes first may be closed by the other, whose listeners are under way then.
        if (hasEnded) return;
        hasEnded = true;
        raw.off('close', end);
        socket.off('close', end);
        writer.replied(request, {
          status: raw.headersSent ? raw.statusCode : CLIENT_CLOSED_STATUS,
        });
      };
      raw.on('close', end);
      // A pipelined reply that is not yet on the socket hears nothing when its client goes.
      socket.on('close', end);
      done();
    });
    scope.addHook('onSend', (request, reply, _payload, done) => {
      if (writer.isLast(request)) reply.header('connection', 'close');
      done();
    });
    addRoutes(scope);
    registered();
  });
}

/** Two kinds of requests that Node refuses, unseen, where nobody listens for them. */
function refuseWhatNodeWould(server: Server, traffic: Traffic): void {
  server.on('connect', (_request, socket) => {
    traffic.reject('malformed');
    socket.destroy();
  });
  server.on('checkExpectation', (_request, response: ServerResponse) => {
    traffic.reject('bad_request');
    response.writeHead(417, { connection: 'close' }).end();
  });
}

function namesNoHost({ httpVersion, headers }: IncomingMessage): boolean {
  return headers.host === undefined && httpVersion === '1.1';
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
