/**
 * Writes every reply of the public listener straight to Node's response: Fastify's own reply path
 * is the largest part of a small request's cost (10-20 of about 80 us). It also tells the observer
 * of each request and says `Connection: close` while the worker drains.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServerError } from '../errors.ts';
import type { Clock } from '../lock/lock.ts';
import { PROBLEM_TYPE, problemBody } from './problem.ts';

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

export interface ReplyWriterOptions {
  readonly observe: RequestObserver;
  readonly isDraining: () => boolean;
  readonly clock: Clock;
}

/** `route` of requests that no route matches. */
export const UNMATCHED = 'unmatched';
/** Methods a metric may name; any other is counted as `OTHER`, so that clients cannot invent labels. */
const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const RETRY_AFTER_SECONDS = '1';

export class ReplyWriter {
  readonly #options: ReplyWriterOptions;

  constructor(options: ReplyWriterOptions) {
    this.#options = options;
  }

  /** Sends a whole reply. `headers` is used up. Does nothing but count when the client is gone. */
  send(
    request: FastifyRequest,
    reply: FastifyReply,
    status: number,
    headers: Record<string, string | string[] | number>,
    body: Uint8Array | string,
  ): void {
    const { raw } = reply;
    if (!reply.sent) reply.hijack();
    if (!raw.destroyed && !raw.headersSent) {
      if (status !== 204 && status !== 304) headers['content-length'] = Buffer.byteLength(body);
      if (this.#options.isDraining()) headers.connection = 'close';
      raw.writeHead(status, headers);
      raw.end(body);
    }
    this.#observe(request, status);
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
    this.send(request, reply, status, headers, problemBody(error, status, request.id));
  }

  #observe(request: FastifyRequest, status: number): void {
    const method = KNOWN_METHODS.has(request.method) ? request.method : 'OTHER';
    const seconds = (this.#options.clock() - request.arrivedAt) / 1000;
    this.#options.observe(method, request.routeOptions.url ?? UNMATCHED, status, seconds);
  }
}
