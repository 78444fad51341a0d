/**
 * The errors of outgoing HTTP. What a guest may not do, and what fails on the way, ends its call:
 * so do Extism's runtimes. Messages may reach a client (`errorBody: "plugin"`), so they name a URL's
 * origin only: paths and queries carry tokens, and resolved addresses are the operator's business.
 */
import { ServerError } from '../../errors.ts';

/** `details.reason` of a `PLUGIN_ERROR`; what tests and logs tell cases apart by. */
export type HttpRefusal =
  /** The guest's request is not one: JSON, URL, method or a header. */
  | 'request'
  /** Neither http nor https. */
  | 'scheme'
  /** User or password in the URL. */
  | 'credentials'
  /** No pattern of the allowed hosts matches. */
  | 'host'
  /** Not an address of the public Internet, and the host is not named literally. */
  | 'address'
  /** Too many, or to something that is no URL. */
  | 'redirects'
  /** Name not found, refused, reset, not TLS, not HTTP: `details.systemCode` says which. */
  | 'network'
  /** The requester was closed. */
  | 'closed';

export function httpError(
  reason: HttpRefusal,
  message: string,
  more: { readonly cause?: unknown; readonly systemCode?: string } = {},
): ServerError {
  const { cause, systemCode } = more;
  return new ServerError('PLUGIN_ERROR', message, {
    cause,
    details: systemCode === undefined ? { reason } : { reason, systemCode },
  });
}

export function httpDeadline(): ServerError {
  return new ServerError('CALL_DEADLINE', 'the deadline passed during an HTTP request', {
    details: { limit: 'timeoutMs' },
  });
}

/** @param limit the name that configuration has for it. */
export function httpLimit(what: string, limit: string, maxBytes: number): ServerError {
  return new ServerError('PLUGIN_LIMIT', `${what} of an HTTP response is over ${maxBytes} bytes`, {
    details: { limit, maxBytes },
  });
}
