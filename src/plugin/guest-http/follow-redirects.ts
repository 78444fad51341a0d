/**
 * An exchange that goes where redirects lead, with every step checked like the first one. Methods
 * change as in browsers; headers that a policy calls secret do not leave the first origin.
 * Source: https://fetch.spec.whatwg.org/#http-redirect-fetch
 */
import { type ExchangeOptions, exchange, type HttpAnswer, type HttpCall } from './exchange.ts';
import { httpError } from './http-error.ts';

export interface RedirectPolicy extends ExchangeOptions {
  /** Throws for a URL that nothing may be sent to. */
  readonly checkUrl: (url: URL) => void;
  /** Whether this header stays behind when a redirect leads to another origin. */
  readonly isSecretHeader: (name: string) => boolean;
}

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** @throws ServerError as {@link exchange} does, and for a step that the policy refuses. */
export async function followRedirects(
  first: HttpCall,
  policy: RedirectPolicy,
): Promise<HttpAnswer> {
  let call = first;
  for (let redirects = 0; ; redirects++) {
    policy.checkUrl(call.url);
    const answer = await exchange(call, policy);
    const location = answer.headers.location;
    if (location === undefined || !REDIRECTS.has(answer.status)) return answer;
    if (redirects === MAX_REDIRECTS) {
      throw httpError(
        'redirects',
        `${first.url.origin} redirects more than ${MAX_REDIRECTS} times`,
      );
    }
    call = redirect(call, answer.status, location, policy);
  }
}

function redirect(
  call: HttpCall,
  status: number,
  location: string,
  policy: RedirectPolicy,
): HttpCall {
  if (!URL.canParse(location, call.url.href)) {
    throw httpError('redirects', `${call.url.origin} redirects to what is not a URL`);
  }
  const url = new URL(location, call.url);
  const headers = new Map(call.headers);
  if (url.origin !== call.url.origin) {
    for (const name of call.headers.keys()) if (policy.isSecretHeader(name)) headers.delete(name);
  }
  const becomesGet =
    status === 303 ? call.method !== 'HEAD' : status < 303 && call.method === 'POST';
  if (!becomesGet) return { url, method: call.method, headers, body: call.body };
  for (const name of headers.keys()) if (name.startsWith('content-')) headers.delete(name);
  return { url, method: 'GET', headers, body: null };
}
