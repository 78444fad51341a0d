/**
 * Who may use the admin listener. On loopback a request must name a loopback host, or a web page
 * could reach it through a name of its own that resolves here (DNS rebinding); where a token is
 * configured everything but the probes asks for it.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { onRequestHookHandler } from 'fastify';
import { isLoopback } from '../config/loopback.ts';
import { ServerError } from '../errors.ts';
import { sendProblem } from './send-problem.ts';

export interface AccessOptions {
  /** Address that the listener binds; null on the public one, whose names only its operator knows. */
  readonly host: string | null;
  readonly token: string | null;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route shows nothing of the app: no token is asked. */
    isOpen?: true;
  }
}

/** For probes of balancers and orchestrators, which carry no token. */
const OPEN_ROUTES: readonly unknown[] = ['/livez', '/readyz'];

/** Makes a hook that refuses a request before anything else looks at it. */
export function createAccessCheck({ host, token }: AccessOptions): onRequestHookHandler {
  const onlyLoopbackNames = host !== null && isLoopback(host);
  const expected = token === null ? null : digest(token);
  return (request, reply, done) => {
    if (onlyLoopbackNames && !namesLoopback(request.headers.host)) {
      sendProblem(reply, 421, new ServerError('BAD_REQUEST', 'the Host header names another host'));
      return;
    }
    const { url, config } = request.routeOptions;
    const isOpen = OPEN_ROUTES.includes(url) || config.isOpen === true;
    if (expected !== null && !isOpen && !carries(request.headers.authorization, expected)) {
      reply.header('www-authenticate', 'Bearer');
      sendProblem(reply, 401, new ServerError('BAD_REQUEST', 'a bearer token is needed'));
      return;
    }
    done();
  };
}

/** A request without the header is HTTP/1.0 and from no browser. */
function namesLoopback(header: string | undefined): boolean {
  if (header === undefined) return true;
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(header) ?? [];
  return isLoopback(bracketed ?? plain ?? '');
}

/** Digests have one length, and comparing them takes one time, whatever was sent. */
function carries(header: string | undefined, expected: Buffer): boolean {
  const [, sent = ''] = /^Bearer +(.*)$/i.exec(header ?? '') ?? [];
  return timingSafeEqual(digest(sent), expected);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
