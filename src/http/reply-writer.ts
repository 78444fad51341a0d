/**
 * Writes every reply of the public listener straight to Node's response: Fastify's own reply path
 * is the largest part of a small request's cost (10-20 of about 80 us). It also tells the observer
 * of each request and says `Connection: close` on the last one of a connection while the worker drains.
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorCode, ServerError } from '../errors.ts';
import type { Clock } from '../lock/lock.ts';
import type { Connections } from './connections.ts';
import { linger } from './linger.ts';
import { PROBLEM_TYPE, problemBody } from './problem.ts';
import { type TraceFields, traceFields } from './traceparent.ts';
import type { Traffic } from './traffic.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** When its head had been read, on the clock of the reply writer. */
    arrivedAt: number;
  }
}

/** Told once of each reply: the route's path as configured, never the client's own. */
export type RequestObserver = (
  method: string,
  route: string,
  status: number,
  seconds: number,
) => void;

/** What names a request in the log: its own id, and the client's trace where it sent one. */
export interface RequestName extends Partial<TraceFields> {
  readonly requestId: string;
}

/** One answered request, as it stands in the log. */
export interface RequestRecord extends RequestName {
  readonly method: string;
  /** As configured, or `unmatched`. */
  readonly route: string;
  readonly status: number;
  /** From the head of the request to its reply, with a resolution of 1 us. */
  readonly durationMs: number;
  /** What went wrong; absent when nothing did. */
  readonly code?: ErrorCode;
}

/** A call that ended by its plugin's doing, as it stands in the log. */
export interface PluginFailure extends RequestName {
  readonly plugin: string;
  readonly function: string;
  readonly error: ServerError;
}

export interface ReplyWriterOptions {
  readonly observe: RequestObserver;
  /** Told of each request when the operator asked for a line a request, else null: records cost time. */
  readonly logRequest: ((record: RequestRecord) => void) | null;
  /** Told of each error that is ours (`INTERNAL`), for the log. */
  readonly onInternalError: (error: ServerError, request: RequestName) => void;
  /** Told of each call that its plugin failed, for the log. */
  readonly onPluginFailure: (failure: PluginFailure) => void;
  readonly isDraining: () => boolean;
  /** How long a client may take nothing of its reply. */
  readonly sendTimeoutMs: number;
  readonly clock: Clock;
}

/** A whole reply. */
export interface Reply {
  readonly status: number;
  /** Used up by sending. */
  readonly headers: Record<string, string | string[] | number>;
  readonly body: Uint8Array | string;
  /** For the log: the error that this reply stands for. */
  readonly code?: ErrorCode;
}

/** `route` of requests that no route matches. */
const UNMATCHED = 'unmatched';
const RETRY_AFTER_SECONDS = '1';
/**
 * Up to here a body goes out as text of one byte a character, which Node joins to the head: one
 * piece less to write, 8 % of a small request's CPU time.
 */
const MAX_JOINED_BYTES = 4096;

export class ReplyWriter {
  readonly #options: ReplyWriterOptions;
  readonly #connections: Connections;
  readonly #traffic: Traffic;

  constructor(options: ReplyWriterOptions, connections: Connections, traffic: Traffic) {
    this.#options = options;
    this.#connections = connections;
    this.#traffic = traffic;
  }

  /** The head of a request was read. Its end is told by one of the other methods. */
  received(request: FastifyRequest): void {
    request.arrivedAt = this.#options.clock();
    this.#traffic.inFlight++;
    this.#connections.arrived(request.raw);
  }

  /** Sends a reply. Does nothing but count when the client is gone. */
  send(request: FastifyRequest, reply: FastifyReply, content: Reply): void {
    const { raw } = reply;
    const { status, headers, body } = content;
    if (!reply.sent) reply.hijack();
    if (!raw.destroyed && !raw.headersSent) {
      if (status !== 204 && status !== 304) headers['content-length'] = Buffer.byteLength(body);
      const isDue = isBodyDue(request.raw);
      if (isDue || this.isLast(request)) headers.connection = 'close';
      raw.writeHead(status, headers);
      if (isDue) {
        raw.flushHeaders();
        raw.write(body);
        linger(request.raw, () => raw.end());
      } else if (typeof body === 'string' || body.length > MAX_JOINED_BYTES) raw.end(body);
      else raw.end(toBuffer(body).toString('latin1'), 'latin1');
      this.#connections.sending(raw, this.#options.sendTimeoutMs);
    }
    this.replied(request, content);
  }

  /**
   * Whether the connection ends with the reply to this request: the last one of a drain, or one that
   * Node loses others behind. Node ends it behind a reply that
   * says so, with whatever a client had pipelined after it.
   */
  isLast(request: FastifyRequest): boolean {
    const { raw } = request;
    return losesNext(raw) || (this.#options.isDraining() && this.#connections.isLatest(raw));
  }

  /** Sends a problem document. */
  sendProblem(
    request: FastifyRequest,
    reply: FastifyReply,
    status: number,
    error: ServerError,
  ): void {
    const headers: Record<string, string> = {
      'content-type': PROBLEM_TYPE,
      'cache-control': 'no-store',
    };
    if (status === 503) headers['retry-after'] = RETRY_AFTER_SECONDS;
    if (error.code === 'INTERNAL') this.#options.onInternalError(error, nameOf(request));
    const body = problemBody(error, status, request.id);
    this.send(request, reply, { status, headers, body, code: error.code });
  }

  /** The plugin's own doing, for the log; the reply is another matter. */
  pluginFailed(request: FastifyRequest, failure: Omit<PluginFailure, keyof RequestName>): void {
    this.#options.onPluginFailure({ ...failure, ...nameOf(request) });
  }

  /** Counts a reply: by `send`, or once for a request that was answered in another way. */
  replied(request: FastifyRequest, { status, code }: Pick<Reply, 'status' | 'code'>): void {
    this.#traffic.inFlight--;
    const { observe, logRequest, clock } = this.#options;
    const { method } = request;
    const route = request.routeOptions.url ?? UNMATCHED;
    const elapsedMs = clock() - request.arrivedAt;
    observe(method, route, status, elapsedMs / 1000);
    if (logRequest === null) return;
    const durationMs = Math.round(elapsedMs * 1000) / 1000;
    const record = { ...nameOf(request), method, route, status, durationMs };
    logRequest(code === undefined ? record : { ...record, code });
  }
}

/**
 * Node drops what a client sent in one piece with a request for another protocol, and would give it
 * the reply to a later request for the one that it lost. Not so for h2c: Java's client asks for that
 * with each request, and sends the next one only when it has the reply.
 */
function losesNext({ headers: { upgrade } }: IncomingMessage): boolean {
  return upgrade !== undefined && upgrade !== 'h2c';
}

/** What is left of a body that nobody wants any more would have to be read before the next request. */
function isBodyDue({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** The same bytes. */
function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function nameOf({ id, raw }: FastifyRequest): RequestName {
  return { requestId: id, ...traceFields(raw.headers.traceparent) };
}
