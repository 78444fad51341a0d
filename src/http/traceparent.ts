/**
 * The header `traceparent` of W3C Trace Context (https://www.w3.org/TR/trace-context/), read for log
 * fields only. A header that is not valid is ignored as if it were not there, as the standard asks.
 */

/** Under the names that OpenTelemetry has for them in logs; `span_id` is the caller's. */
export interface TraceFields {
  readonly trace_id: string;
  readonly span_id: string;
  readonly trace_flags: string;
}

/** What belongs to no trace. */
const NONE: Partial<TraceFields> = Object.freeze({});

/** Version, trace, caller's span, flags, what later versions add. Lower case only; no id of zeros alone. */
const TRACEPARENT =
  /^([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** The fields to spread into a log line; none where there is no valid header. */
export function traceFields(header: string | string[] | undefined): Partial<TraceFields> {
  const match = typeof header === 'string' ? TRACEPARENT.exec(header) : null;
  if (match === null) return NONE;
  const [, version, trace_id, span_id, trace_flags, more] = match as string[];
  // There is no version ff, and 00 ends with its flags.
  if (version === 'ff' || (version === '00' && more !== undefined)) return NONE;
  return { trace_id, span_id, trace_flags } as TraceFields;
}
