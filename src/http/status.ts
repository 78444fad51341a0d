/** HTTP status of every error code. The only place that knows statuses; a route's `errorStatus` goes before it. */
import { ERRORS, type ErrorCode, type ServerError } from '../errors.ts';

const STATUS: Readonly<Record<ErrorCode, number>> = {
  CONFIG_NOT_FOUND: 500,
  CONFIG_INVALID: 500,
  PLUGIN_NOT_FOUND: 500,
  PLUGIN_COMPILE_FAILED: 500,
  FUNCTION_NOT_EXPORTED: 500,
  BAD_REQUEST: 400,
  BODY_TOO_LARGE: 413,
  ROUTE_NOT_FOUND: 404,
  QUEUE_FULL: 503,
  WAIT_DEADLINE: 503,
  SHUTTING_DOWN: 503,
  CALL_DEADLINE: 504,
  // nginx's number for a client that closed first; nobody receives it, metrics and logs show it.
  CLIENT_CLOSED: 499,
  PLUGIN_TRAPPED: 502,
  PLUGIN_ERROR: 500,
  PLUGIN_LIMIT: 502,
  PLUGIN_BAD_OUTPUT: 502,
  INTERNAL: 500,
};

/** `errorStatus` of a route, where given, stands for everything the plugin itself does wrong. */
export function statusOf(error: ServerError, errorStatus: number | null): number {
  if (errorStatus !== null && ERRORS[error.code].kind === 'plugin') return errorStatus;
  return STATUS[error.code];
}
