/**
 * Writes every reply of the public listener straight to Node's response: Fastify's own reply path
 * is the largest part of a small request's cost (10-20 of about 80 us). It also tells the observer
 * of each request and says `Connection: close` while the worker drains.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorCode, ServerError } from '../errors.ts';
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

/** One answered request, as it stands in the log. */
export interface RequestRecord {
  readonly requestId: string;
  readonly method: string;
  /** As configured, or `unmatched`. */
  readonly route: string;
  readonly status: number;
  /** From the head of the request to its reply, with a resolution of 1 us. */
  readonly durationMs: number;
  /** What went wrong; absent when nothing did. */
  readonly code?: ErrorCode;
}

export interface ReplyWriterOptions {
  readonly observe: RequestObserver;
  /** Told of each request when the operator asked for a line a request, else null: records cost time. */
  readonly logRequest: ((record: RequestRecord) => void) | null;
  readonly isDraining: () => boolean;
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

export class ReplyWriter {
  readonly #options: ReplyWriterOptions;

  constructor(options: ReplyWriterOptions) {
    this.#options = options;
  }

  /** Sends a reply. Does nothing but count when the client is gone. */
  send(request: FastifyRequest, reply: FastifyReply, content: Reply): void {
    const { raw } = reply;
    const { status, headers, body } = content;
    if (!reply.sent) reply.hijack();
    if (!raw.destroyed && !raw.headersSent) {
      if (status !== 204 && status !== 304) headers['content-length'] = Buffer.byteLength(body);
      if (this.#options.isDraining()) headers.connection = 'close';
      raw.writeHead(status, headers);
      raw.end(body);
    }
    this.#observe(request, content);
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
    const body = problemBody(error, status, request.id);
    this.send(request, reply, { status, headers, body, code: error.code });
  }

  #observe(request: FastifyRequest, { status, code }: Reply): void {
    const { observe, logRequest, clock } = this.#options;
    const { method } = request;
    const route = request.routeOptions.url ?? UNMATCHED;
    const elapsedMs = clock() - request.arrivedAt;
    observe(method, route, status, elapsedMs / 1000);
    if (logRequest === null) return;
    const durationMs = Math.round(elapsedMs * 1000) / 1000;
    const record = { requestId: request.id, method, route, status, durationMs };
    logRequest(code === undefined ? record : { ...record, code });
  }
}
