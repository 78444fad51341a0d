/**
 * Route mode `http`: a whole request as JSON for the guest, a whole reply as JSON from it.
 * Compatible with Simplism (https://github.com/bots-garden/simplism): in
 * `{body, header, method, uri}`, out `{body, header, code}`. Beside those fields the guest gets
 * `params` and `query`, and `bodyBase64` carries what is not UTF-8, both ways.
 */
import { isUtf8 } from 'node:buffer';
import { type IncomingHttpHeaders, validateHeaderName, validateHeaderValue } from 'node:http';
import { ServerError } from '../errors.ts';

export interface EnvelopeRequest {
  readonly method: string;
  /** Path and query string as the client sent them. */
  readonly uri: string;
  /** Lower-case names, as Node gives them. */
  readonly headers: IncomingHttpHeaders;
  readonly params: Readonly<Record<string, string>>;
  readonly query: unknown;
  readonly body: Uint8Array;
}

export interface EnvelopeReply {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body: Uint8Array;
}

/** The connection is ours to manage, and so is the length of what we send. */
const FORBIDDEN_HEADERS = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** A reply has a handful beside its headers. One up to that many bytes is read at once, whatever it holds. */
const MAX_VALUES = 10_000;
const UNCOUNTED_BYTES = 65_536;
const [QUOTE, BACKSLASH, BRACKET, BRACE, COMMA] = [0x22, 0x5c, 0x5b, 0x7b, 0x2c];
/** Of what the guest wrote, in a message. */
const MAX_QUOTED = 100;

/** The guest's input: UTF-8 JSON. */
export function encodeEnvelope(request: EnvelopeRequest): Uint8Array {
  const header: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) header[canonicalName(name)] = Array.isArray(value) ? value : [value];
  }
  const body = Buffer.from(request.body.buffer, request.body.byteOffset, request.body.byteLength);
  const { method, uri, params, query } = request;
  const content = isUtf8(body)
    ? { body: body.toString('utf8') }
    : { body: '', bodyBase64: body.toString('base64') };
  return Buffer.from(JSON.stringify({ ...content, header, method, uri, params, query }));
}

/** @throws ServerError `PLUGIN_BAD_OUTPUT`, naming the field that is wrong. */
export function decodeEnvelope(output: Uint8Array): EnvelopeReply {
  const reply = parseObject(output);
  return {
    status: readStatus(reply.code),
    headers: readHeaders(reply.header),
    body: readBody(reply.body, reply.bodyBase64),
  };
}

/** `content-type` -> `Content-Type`, as Go's net/http writes names. */
function canonicalName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

function parseObject(output: Uint8Array): Record<string, unknown> {
  if (hasTooManyValues(output)) {
    throw bad(`of ${output.length} bytes has more than ${MAX_VALUES} values`);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(output));
  } catch (cause) {
    throw bad('is not JSON in UTF-8', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad('is not a JSON object');
  return value as Record<string, unknown>;
}

/**
 * No deadline ends the reading of JSON: 8 MiB of small values held up everybody on this worker for
 * 4 s. A body is one text, however long, so only the values are counted: each comes behind one of
 * `[`, `{` and `,` or behind a name.
 */
function hasTooManyValues(output: Uint8Array): boolean {
  if (output.length <= UNCOUNTED_BYTES) return false;
  let values = 0;
  let isInText = false;
  for (let at = 0; at < output.length; at++) {
    const byte = output[at];
    if (isInText) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) isInText = false;
    } else if (byte === QUOTE) isInText = true;
    else if (byte === BRACKET || byte === BRACE || byte === COMMA) {
      if (++values > MAX_VALUES) return true;
    }
  }
  return false;
}

function readStatus(code: unknown): number {
  if (code === undefined || code === 0) return 200;
  if (typeof code === 'number' && Number.isInteger(code) && code >= 200 && code <= 599) return code;
  throw bad(`has the code ${quote(code)}, not an integer from 200 to 599`);
}

function readHeaders(header: unknown): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  if (header === undefined || header === null) return headers;
  if (typeof header !== 'object' || Array.isArray(header))
    throw bad('has a header that is not an object');
  for (const [name, value] of Object.entries(header as Record<string, unknown>)) {
    const values = Array.isArray(value) ? value : [value];
    if (!values.every((item): item is string => typeof item === 'string')) {
      throw bad(`has the header ${quote(name)} with a value that is not text`);
    }
    if (FORBIDDEN_HEADERS.has(name.toLowerCase())) {
      throw bad(`sets the header ${quote(name)}, which is the server's`);
    }
    checkHeader(name, values);
    headers[name] = values.length === 1 ? (values[0] as string) : values;
  }
  return headers;
}

function checkHeader(name: string, values: readonly string[]): void {
  try {
    validateHeaderName(name);
    for (const value of values) validateHeaderValue(name, value);
  } catch (cause) {
    throw bad(`has the header ${quote(name)}, which HTTP does not allow`, cause);
  }
}

/** Padding may be left out, as some encoders do; anything else that Node would skip is refused. */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function readBody(body: unknown, bodyBase64: unknown): Uint8Array {
  if (bodyBase64 !== undefined && bodyBase64 !== null && bodyBase64 !== '') {
    if (typeof bodyBase64 === 'string' && BASE64.test(bodyBase64))
      return Buffer.from(bodyBase64, 'base64');
    throw bad('has a bodyBase64 that is not base64');
  }
  if (body === undefined || body === null) return new Uint8Array(0);
  if (typeof body === 'string') return Buffer.from(body);
  throw bad('has a body that is not text');
}

/** Cut: the message goes to the log, and to a client where the route says so. */
function quote(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
}

function bad(problem: string, cause?: unknown): ServerError {
  return new ServerError('PLUGIN_BAD_OUTPUT', `the plugin's reply ${problem}`, { cause });
}
