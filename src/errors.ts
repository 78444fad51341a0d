/**
 * The closed table of everything that can go wrong, and the one error class that carries it.
 * Each layer throws `ServerError` with a code; HTTP statuses are mapped in http/ and nowhere else.
 * The metrics label `outcome` is `ok` or one of these codes, so the table is also public API.
 */

/** Who has to act: the operator, the caller, the plugin's author, the server's load, or us. */
export type ErrorKind = 'configuration' | 'request' | 'capacity' | 'plugin' | 'internal';

/** What is known of an error by its code alone. */
export interface ErrorEntry {
  readonly kind: ErrorKind;
  /** Whether the same request may succeed if it is sent again later. */
  readonly retryable: boolean;
  readonly summary: string;
}

/** Names one row of {@link ERRORS}. */
export type ErrorCode =
  | 'CONFIG_NOT_FOUND'
  | 'CONFIG_INVALID'
  | 'PLUGIN_NOT_FOUND'
  | 'PLUGIN_COMPILE_FAILED'
  | 'FUNCTION_NOT_EXPORTED'
  | 'BODY_TOO_LARGE'
  | 'ROUTE_NOT_FOUND'
  | 'BAD_REQUEST'
  | 'QUEUE_FULL'
  | 'WAIT_DEADLINE'
  | 'SHUTTING_DOWN'
  | 'CALL_DEADLINE'
  | 'CLIENT_CLOSED'
  | 'PLUGIN_TRAPPED'
  | 'PLUGIN_ERROR'
  | 'PLUGIN_LIMIT'
  | 'PLUGIN_BAD_OUTPUT'
  | 'INTERNAL';

/** Every error code with what it means. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorEntry>> = {
  CONFIG_NOT_FOUND: {
    kind: 'configuration',
    retryable: false,
    summary: 'A configured file does not exist',
  },
  CONFIG_INVALID: {
    kind: 'configuration',
    retryable: false,
    summary: 'The configuration is not valid',
  },
  PLUGIN_NOT_FOUND: {
    kind: 'configuration',
    retryable: false,
    summary: 'The plugin file does not exist',
  },
  PLUGIN_COMPILE_FAILED: {
    kind: 'configuration',
    retryable: false,
    summary: 'The plugin cannot be compiled, linked or initialised',
  },
  FUNCTION_NOT_EXPORTED: {
    kind: 'configuration',
    retryable: false,
    summary: 'The plugin does not export that function',
  },
  BODY_TOO_LARGE: {
    kind: 'request',
    retryable: false,
    summary: 'The request body is larger than the limit',
  },
  ROUTE_NOT_FOUND: {
    kind: 'request',
    retryable: false,
    summary: 'No route matches this method and path',
  },
  BAD_REQUEST: { kind: 'request', retryable: false, summary: 'The request cannot be read' },
  QUEUE_FULL: {
    kind: 'capacity',
    retryable: true,
    summary: 'Too many requests wait for this plugin',
  },
  WAIT_DEADLINE: {
    kind: 'capacity',
    retryable: true,
    summary: 'The request waited too long for the plugin',
  },
  SHUTTING_DOWN: { kind: 'capacity', retryable: true, summary: 'The server is shutting down' },
  CALL_DEADLINE: {
    kind: 'plugin',
    retryable: false,
    summary: 'The plugin ran longer than its deadline',
  },
  CLIENT_CLOSED: {
    kind: 'request',
    retryable: true,
    summary: 'The client went away before its turn',
  },
  PLUGIN_TRAPPED: { kind: 'plugin', retryable: false, summary: 'The plugin trapped' },
  PLUGIN_ERROR: { kind: 'plugin', retryable: false, summary: 'The plugin reported an error' },
  PLUGIN_LIMIT: { kind: 'plugin', retryable: false, summary: 'The plugin exceeded a limit' },
  PLUGIN_BAD_OUTPUT: {
    kind: 'plugin',
    retryable: false,
    summary: 'The plugin returned output that is not valid',
  },
  INTERNAL: { kind: 'internal', retryable: false, summary: 'The server failed' },
};

/** All codes, in the order of the table. */
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(ERRORS) as ErrorCode[];

/** What else an error may carry. */
export interface ServerErrorOptions {
  /** What was thrown below. Never shown to a client. */
  cause?: unknown;
  /** Named facts for logs and problem details: the limit, the value, the names there are. */
  details?: Readonly<Record<string, unknown>>;
}

/** The only error class that crosses a layer's border. */
export class ServerError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ServerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ServerError';
    this.code = code;
    this.details = options.details ?? {};
  }

  /** Whether the operator has to mend something before the server can start (exit code 2). */
  get isOperatorMistake(): boolean {
    return ERRORS[this.code].kind === 'configuration';
  }

  /**
   * Turns anything thrown into a `ServerError`. Used at three borders only: around a plugin call,
   * around a request, and where a message from another process is read.
   */
  static from(thrown: unknown, code: ErrorCode = 'INTERNAL'): ServerError {
    if (thrown instanceof ServerError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new ServerError(code, message, { cause: thrown });
  }
}
