/**
 * The handler of one configured route: queue the call, and when it ended write the reply. It never
 * calls a plugin itself, and the permit is given back before the reply is written.
 */
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import type { RouteConfig } from '../config/types.ts';
import { ERRORS, type ServerError } from '../errors.ts';
import type { CallListener } from '../plugin/call-job.ts';
import type { ServedPlugin } from '../plugin/served-plugin.ts';
import type { Connections } from './connections.ts';
import { decodeEnvelope, type EnvelopeReply, encodeEnvelope } from './envelope.ts';
import type { ReplyWriter } from './reply-writer.ts';
import { statusOf } from './status.ts';

export interface PluginRouteOptions {
  readonly route: RouteConfig;
  readonly plugin: ServedPlugin;
  readonly connections: Connections;
  readonly writer: ReplyWriter;
}

const EMPTY = new Uint8Array(0);
const PLUGIN_TEXT_TYPE = 'text/plain; charset=utf-8';

/** Makes the handler. */
export function createPluginRoute(options: PluginRouteOptions): RouteHandlerMethod {
  const { route, plugin, connections } = options;
  const toInput = route.mode === 'http' ? envelopeInput : rawInput;
  return (request, reply) => {
    reply.hijack();
    const exchange = new Exchange(options, request, reply);
    const ticket = plugin.call(route.function, toInput(request), exchange);
    exchange.leaveWith(() => connections.remove(request.raw.socket, ticket));
    connections.add(request.raw.socket, ticket);
  };
}

/** One request on its way through the plugin. */
class Exchange implements CallListener {
  readonly #options: PluginRouteOptions;
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  #leave: () => void = () => {};
  #content: EnvelopeReply | null = null;

  constructor(options: PluginRouteOptions, request: FastifyRequest, reply: FastifyReply) {
    this.#options = options;
    this.#request = request;
    this.#reply = reply;
  }

  /** What is to be done when the call ended. */
  leaveWith(leave: () => void): void {
    this.#leave = leave;
  }

  /** In mode `http` an output may be no reply. */
  accept(output: Uint8Array): void {
    const { route } = this.#options;
    this.#content =
      route.mode === 'http'
        ? decodeEnvelope(output)
        : { status: 200, headers: { 'content-type': route.contentType }, body: output };
  }

  succeeded(): void {
    this.#leave();
    this.#options.writer.send(this.#request, this.#reply, this.#content as EnvelopeReply);
  }

  failed(error: ServerError): void {
    this.#leave();
    this.#sendError(error);
  }

  #sendError(error: ServerError): void {
    const { route, writer } = this.#options;
    const status = statusOf(error, route.errorStatus);
    const isPlugins = ERRORS[error.code].kind === 'plugin';
    if (isPlugins) {
      const { plugin, function: functionName } = route;
      writer.pluginFailed(this.#request, { plugin, function: functionName, error });
    }
    if (isPlugins && route.errorBody === 'plugin') {
      const headers = { 'content-type': PLUGIN_TEXT_TYPE };
      const { message: body, code } = error;
      writer.send(this.#request, this.#reply, { status, headers, body, code });
    } else {
      writer.sendProblem(this.#request, this.#reply, status, error);
    }
  }
}

function rawInput(request: FastifyRequest): Uint8Array {
  return (request.body as Uint8Array | undefined) ?? EMPTY;
}

function envelopeInput(request: FastifyRequest): Uint8Array {
  return encodeEnvelope({
    method: request.method,
    uri: request.raw.url ?? '/',
    headers: request.raw.headers,
    params: request.params as Record<string, string>,
    query: request.query,
    body: rawInput(request),
  });
}
