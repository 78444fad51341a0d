/**
 * Error bodies: RFC 9457 problem details (`application/problem+json`) with the members `code` and
 * `requestId`. What a plugin wrote never stands in them; a route asks for that with `errorBody`.
 */
import { STATUS_CODES } from 'node:http';
import { ERRORS, type ErrorKind, type ServerError } from '../errors.ts';

/** Errors whose message is our own text about the client's own request. */
const EXPLAINED: readonly ErrorKind[] = ['request', 'capacity'];

/** The body of an error reply, as UTF-8 JSON. */
export function problemBody(error: ServerError, status: number, requestId: string): string {
  const { kind, summary } = ERRORS[error.code];
  return JSON.stringify({
    type: 'about:blank',
    title: STATUS_CODES[status] ?? summary,
    status,
    detail: EXPLAINED.includes(kind) ? error.message : summary,
    code: error.code,
    requestId,
  });
}

export const PROBLEM_TYPE = 'application/problem+json';
