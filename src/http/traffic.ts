/**
 * What the public listener counts of itself, in plain numbers: the requests in flight, and what it
 * refused before a plugin's queue. Each refused connection or request counts once, under one reason.
 */
import type { ErrorCode } from '../errors.ts';

/** Why something was refused: the label `reason`. */
export type RejectReason =
  /** A connection beyond `http.maxConnections`. */
  | 'connection_limit'
  /** Not valid HTTP/1.1, a head that is too large, no host, or CONNECT. */
  | 'malformed'
  /** Head or body did not arrive in time. */
  | 'timeout'
  /** A body beyond `http.bodyLimitBytes`. */
  | 'body_too_large'
  /** No route. */
  | 'not_found'
  /** Valid HTTP that cannot be served: a path that cannot be decoded, an expectation we do not meet. */
  | 'bad_request';

/** Other codes are not refusals: the client left, or the failure is ours. */
const REASONS: Readonly<Partial<Record<ErrorCode, RejectReason>>> = {
  BODY_TOO_LARGE: 'body_too_large',
  ROUTE_NOT_FOUND: 'not_found',
  BAD_REQUEST: 'bad_request',
};

/** Read at scrape time. */
export interface ListenerGauges {
  /** Open connections. */
  connections(): number;
  requestsInFlight(): number;
  /** Refused since the start, by reason. */
  rejected(): Readonly<Record<RejectReason, number>>;
}

export class Traffic {
  /** Requests whose head was read and whose reply is not yet written. */
  inFlight = 0;
  readonly #rejected: Record<RejectReason, number> = {
    connection_limit: 0,
    malformed: 0,
    timeout: 0,
    body_too_large: 0,
    not_found: 0,
    bad_request: 0,
  };

  /** Since the start. */
  get rejected(): Readonly<Record<RejectReason, number>> {
    return this.#rejected;
  }

  reject(reason: RejectReason): void {
    this.#rejected[reason]++;
  }

  /** Counts a request that ended with this error before it reached a route's handler. */
  rejectWith(code: ErrorCode): void {
    const reason = REASONS[code];
    if (reason !== undefined) this.reject(reason);
  }
}
