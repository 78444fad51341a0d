/**
 * Makes one guest's HTTP requests: reads what the guest asks for, holds it against the allow-list,
 * and bounds the answer. How the guest waits meanwhile is not its business (suspending-http.ts,
 * blocking-http.ts).
 */
import { isIP } from 'node:net';
import type { ServerError } from '../../errors.ts';
import { MAX_TIMER_MS } from '../../lock/lock.ts';
import type { GuestHttpResponse } from '../kernel/http-host.ts';
import {
  createAgents,
  type HttpAgents,
  type HttpCall,
  type ResolveHost,
  resolveWithSystem,
} from './exchange.ts';
import { followRedirects } from './follow-redirects.ts';
import { HostPatterns, hostOf } from './host-patterns.ts';
import { httpDeadline, httpError } from './http-error.ts';
import { isPublicAddress } from './public-address.ts';
import { parseMethod, parseRequestHeaders } from './request-headers.ts';

export interface GuestHttpLimits {
  /** Extism's patterns, each without a `hostPatternProblem`. */
  readonly allowedHosts: readonly string[];
  /** Longest body of one response. */
  readonly maxHttpResponseBytes: number;
  /** Default: the system's resolver. */
  readonly resolve?: ResolveHost;
}

const MAX_URL_LENGTH = 16_384;
/**
 * The longest URL and headers are 80 KiB; JSON escapes some of it. Reading it holds up whoever else is
 * served by this thread, and no deadline ends that: 12 MiB of brackets took 2 s, this much 10 to 25 ms.
 */
const MAX_REQUEST_BYTES = 131_072;
const SECRET_HEADERS = new Set(['authorization', 'cookie', 'cookie2']);

export class GuestHttpRequester {
  readonly #hosts: HostPatterns;
  readonly #maxBodyBytes: number;
  readonly #resolve: ResolveHost;
  readonly #agents: HttpAgents = createAgents();
  readonly #running = new Set<AbortController>();
  #isClosed = false;

  constructor(limits: GuestHttpLimits) {
    this.#hosts = new HostPatterns(limits.allowedHosts);
    this.#maxBodyBytes = limits.maxHttpResponseBytes;
    this.#resolve = limits.resolve ?? resolveWithSystem;
  }

  /**
   * @param remainingMs what is left of the guest's call; redirects and all must end within it.
   * @throws ServerError `PLUGIN_ERROR` with `details.reason`, `PLUGIN_LIMIT`, `CALL_DEADLINE`.
   */
  async send(
    request: Uint8Array,
    body: Uint8Array | null,
    remainingMs: number,
  ): Promise<GuestHttpResponse> {
    if (this.#isClosed) throw closed();
    if (!(remainingMs > 0)) throw httpDeadline();
    const abort = new AbortController();
    const timer = setTimeout(
      () => abort.abort(httpDeadline()),
      Math.min(remainingMs, MAX_TIMER_MS),
    );
    this.#running.add(abort);
    try {
      return await followRedirects(parseGuestRequest(request, body), {
        agents: this.#agents,
        resolve: this.#resolve,
        checkUrl: (url) => this.#checkUrl(url),
        allowsAddress: (host, address) => this.#hosts.names(host) || isPublicAddress(address),
        isSecretHeader: (name) => SECRET_HEADERS.has(name),
        bodyLimit: { name: 'memory.maxHttpResponseBytes', bytes: this.#maxBodyBytes },
        signal: abort.signal,
      });
    } finally {
      clearTimeout(timer);
      this.#running.delete(abort);
    }
  }

  /** Ends what runs and drops kept connections. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const abort of this.#running) abort.abort(closed());
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #checkUrl(url: URL): void {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw httpError('scheme', `HTTP requests to "${url.protocol}" URLs are not allowed`);
    }
    if (url.username !== '' || url.password !== '') {
      throw httpError('credentials', 'a URL with a user name or password is not allowed');
    }
    const host = hostOf(url);
    if (!this.#hosts.matches(host)) {
      throw httpError('host', `HTTP requests to ${host} are not allowed`);
    }
    // Names are looked at when they are resolved, addresses here: nothing resolves those.
    if (isIP(host) !== 0 && !this.#hosts.names(host) && !isPublicAddress(host)) {
      throw httpError('address', `HTTP requests to the address ${host} are not allowed`);
    }
  }
}

function closed(): ServerError {
  return httpError('closed', 'the plugin is being closed');
}

/** Extism's JSON: `url`, `method`, `headers` (`header` in old PDKs); other keys are passed over. */
function parseGuestRequest(request: Uint8Array, body: Uint8Array | null): HttpCall {
  try {
    if (request.length > MAX_REQUEST_BYTES) {
      throw new TypeError(`it is longer than ${MAX_REQUEST_BYTES} bytes`);
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(request);
    const asked: unknown = JSON.parse(text);
    if (typeof asked !== 'object' || asked === null) throw new TypeError('not an object');
    const { url, method, headers, header } = asked as Readonly<Record<string, unknown>>;
    if (typeof url !== 'string' || url.length > MAX_URL_LENGTH || !URL.canParse(url)) {
      throw new TypeError(`the URL must be absolute and of at most ${MAX_URL_LENGTH} characters`);
    }
    return {
      url: new URL(url),
      method: parseMethod(method),
      headers: parseRequestHeaders(headers ?? header),
      body: body === null || body.length === 0 ? null : body,
    };
  } catch (cause) {
    const problem = cause instanceof SyntaxError ? 'it is not JSON' : (cause as Error).message;
    throw httpError('request', `http_request cannot be made: ${problem}`, { cause });
  }
}
