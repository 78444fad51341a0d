/**
 * One HTTP request and its response, bounded in bytes and by a signal, to an address that was
 * checked: the name is resolved here and the socket goes to what was looked at, so that a second
 * answer of DNS cannot lead elsewhere. No redirects (follow-redirects.ts), no proxies, no decoding
 * of `content-encoding`.
 */
import { promises as dns } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { ServerError } from '../../errors.ts';
import { BoundedBody } from './bounded-body.ts';
import { hostOf } from './host-patterns.ts';
import { httpError, httpLimit } from './http-error.ts';
import type { RequestHeaders } from './request-headers.ts';

export interface HttpCall {
  readonly url: URL;
  readonly method: string;
  readonly headers: RequestHeaders;
  readonly body: Uint8Array | null;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case, several values joined with a comma. No prototype. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}
/** Every address of a name. */
export type ResolveHost = (host: string) => Promise<readonly ResolvedAddress[]>;

/** Connections that are kept; they belong to one policy and are never shared with another. */
export interface HttpAgents {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

export interface ExchangeOptions {
  readonly agents: HttpAgents;
  readonly resolve: ResolveHost;
  readonly allowsAddress: (host: string, address: string) => boolean;
  /** `name` is what configuration calls it. */
  readonly bodyLimit: { readonly name: string; readonly bytes: number };
  /** Its reason is what the exchange then fails with. */
  readonly signal: AbortSignal;
}

/** Twice Node's default. */
const MAX_HEADER_BYTES = 32_768;
/** Under the 5 s after which Node's and many other servers close an idle connection. */
const IDLE_MS = 4_000;
/** To one host, and to all of them: a guest that may fetch anywhere asks as many names as it likes. */
const MAX_IDLE_CONNECTIONS = 8;
const MAX_ALL_IDLE_CONNECTIONS = 32;
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
const NOT_MODIFIED = 304;
const HAS_BODY = new Set(['POST', 'PUT', 'PATCH']);

export function createAgents(): HttpAgents {
  const options = { keepAlive: true, timeout: IDLE_MS, maxFreeSockets: MAX_IDLE_CONNECTIONS };
  return { http: boundIdle(new http.Agent(options)), https: boundIdle(new https.Agent(options)) };
}

/** Node bounds what it keeps for each host alone. */
function boundIdle<T extends http.Agent>(agent: T): T {
  const keep = agent.keepSocketAlive;
  agent.keepSocketAlive = (socket) => {
    const idle = Object.values(agent.freeSockets).flat().length;
    // An answer of false ends the connection; the types do not know of it.
    return idle < MAX_ALL_IDLE_CONNECTIONS && keep.call(agent, socket);
  };
  return agent;
}

export async function resolveWithSystem(host: string): Promise<readonly ResolvedAddress[]> {
  return dns.lookup(host, { all: true });
}

/** @throws ServerError `PLUGIN_ERROR` with a reason, `PLUGIN_LIMIT`, or the signal's reason. */
export async function exchange(call: HttpCall, options: ExchangeOptions): Promise<HttpAnswer> {
  for (let stale = 0; stale <= MAX_IDLE_CONNECTIONS; stale++) {
    const answer = await attempt(call, options);
    if (answer !== 'stale connection') return answer;
  }
  throw httpError('network', `${call.url.origin} closes its connections`);
}

/** A kept connection that the server had closed meanwhile is no answer: another one is tried. */
function attempt(
  call: HttpCall,
  options: ExchangeOptions,
): Promise<HttpAnswer | 'stale connection'> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const request = open(call, options);
    const onAbort = (): void => {
      // Not left to the request's events: some ends of a connection raise none.
      reject(signal.reason);
      request.destroy();
    };
    const fail = (error: unknown): void => {
      if (request.reusedSocket && !hasAnswered && isReset(error) && IDEMPOTENT.has(call.method)) {
        resolve('stale connection');
      } else reject(toServerError(error, call.url));
    };
    let hasAnswered = false;
    signal.addEventListener('abort', onAbort, { once: true });
    request.on('error', fail);
    request.on('close', () => {
      signal.removeEventListener('abort', onAbort);
      // An answer that switches protocols ends in nothing but this.
      if (!hasAnswered) fail(new Error('the connection was closed without an answer'));
    });
    request.on('response', (response) => {
      hasAnswered = true;
      collect(call.method, response, options.bodyLimit).then(resolve, (error: unknown) => {
        request.destroy();
        fail(error);
      });
    });
    request.end(call.body ?? undefined);
  });
}

function open(call: HttpCall, options: ExchangeOptions): http.ClientRequest {
  const { url, method, body } = call;
  const headers: http.OutgoingHttpHeaders = Object.fromEntries(call.headers);
  if (body !== null || HAS_BODY.has(method)) headers['content-length'] = body?.length ?? 0;
  // Nothing is decoded here, so the limit on bytes is one on what the reader gets.
  headers['accept-encoding'] ??= 'identity';
  headers['user-agent'] ??= 'plugind';
  const isTls = url.protocol === 'https:';
  return (isTls ? https : http).request({
    protocol: url.protocol,
    hostname: hostOf(url),
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    path: url.pathname + url.search,
    method,
    headers,
    agent: isTls ? options.agents.https : options.agents.http,
    lookup: checkedLookup(options),
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
  });
}

/** Never called for a host that is an address already: whoever checks URLs has to look at those. */
function checkedLookup({ resolve, allowsAddress }: ExchangeOptions): LookupFunction {
  return (host, { all }, callback) => {
    resolve(host).then(
      (addresses) => {
        const allowed = addresses.filter(({ address }) => allowsAddress(host, address));
        const [first] = allowed;
        if (first === undefined) {
          const error = httpError('address', `${host} has no address that may be connected to`);
          callback(error, '', 0);
        } else if (all === true) callback(null, [...allowed]);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };
}

function collect(
  method: string,
  response: http.IncomingMessage,
  { name, bytes }: ExchangeOptions['bodyLimit'],
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const overLimit = (): void => reject(httpLimit('the body', name, bytes));
    const body = new BoundedBody(bytes);
    response.on('error', reject);
    // Their length is that of a body that does not come.
    const hasBody = method !== 'HEAD' && response.statusCode !== NOT_MODIFIED;
    if (hasBody && Number(response.headers['content-length']) > bytes) {
      overLimit();
      return;
    }
    response.on('data', (chunk: Uint8Array) => {
      if (!body.add(chunk)) overLimit();
    });
    response.on('end', () =>
      resolve({
        status: response.statusCode ?? 0,
        headers: joinHeaders(response.rawHeaders),
        body: body.take(),
      }),
    );
  });
}

function joinHeaders(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] as string).toLowerCase();
    const value = raw[index + 1] as string;
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}

function isReset(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function toServerError(error: unknown, url: URL): ServerError {
  if (error instanceof ServerError) return error;
  const systemCode = String((error as NodeJS.ErrnoException).code ?? 'unknown');
  if (systemCode === 'HPE_HEADER_OVERFLOW') {
    return httpLimit('the head', 'http.responseHeaderBytes', MAX_HEADER_BYTES);
  }
  const message = `the request to ${url.origin} failed: ${systemCode}`;
  return httpError('network', message, { cause: error, systemCode });
}
