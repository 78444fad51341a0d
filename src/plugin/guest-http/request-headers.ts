/**
 * Which headers may be sent on another's behalf (a guest's, or a manifest's for its download).
 * Those that frame the message or belong to the connection are ours: they are left out, as
 * browsers do, so that a guest that passes its caller's headers on still works.
 * Source: https://fetch.spec.whatwg.org/#forbidden-request-header
 */

const OURS = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const MAX_COUNT = 100;
const MAX_BYTES = 65_536;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Tab and Latin-1 without control characters: nothing that could begin another header. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const MAX_METHOD_LENGTH = 32;
/** They turn the connection into something else, or echo the request with its secrets. */
const REFUSED_METHODS = new Set(['CONNECT', 'TRACE', 'TRACK']);

/** Names in lower case. */
export type RequestHeaders = ReadonlyMap<string, string>;

/** @throws TypeError whose message names the header, never its value. */
export function parseRequestHeaders(value: unknown): RequestHeaders {
  if (value === undefined || value === null) return new Map();
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new TypeError('headers must be an object');
  }
  const headers = new Map<string, string>();
  const entries = Object.entries(value);
  if (entries.length > MAX_COUNT) throw new TypeError(`more than ${MAX_COUNT} headers`);
  let bytes = 0;
  for (const [name, content] of entries) {
    bytes += name.length + (typeof content === 'string' ? content.length : 0);
    if (bytes > MAX_BYTES) throw new TypeError(`headers are longer than ${MAX_BYTES} bytes`);
    if (!TOKEN.test(name)) throw new TypeError(`${JSON.stringify(name)} is not a header name`);
    if (typeof content !== 'string' || !VALUE.test(content)) {
      throw new TypeError(`the header ${JSON.stringify(name)} has a value that cannot be sent`);
    }
    const key = name.toLowerCase();
    if (OURS.has(key)) continue;
    const before = headers.get(key);
    headers.set(key, before === undefined ? content : `${before}, ${content}`);
  }
  return headers;
}

/** In upper case; `GET` where there is none. @throws TypeError */
export function parseMethod(value: unknown): string {
  if (value === undefined || value === null || value === '') return 'GET';
  if (typeof value !== 'string' || value.length > MAX_METHOD_LENGTH || !TOKEN.test(value)) {
    throw new TypeError('the method is not one');
  }
  const method = value.toUpperCase();
  if (REFUSED_METHODS.has(method)) throw new TypeError(`the method ${method} is not allowed`);
  return method;
}
