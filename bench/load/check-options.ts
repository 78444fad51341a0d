/** Refuses options that make no load, or none that belongs here. */
import { BadOptions } from './bad-options.ts';
import type { LoadOptions } from './load-options.ts';
import { createRequestSource } from './request-source.ts';

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** @throws BadOptions with one line. */
export function checkOptions(options: LoadOptions): void {
  const { url, connections, threads, pipelining, keepAlive, rate, requests } = options;
  if (!URL.canParse(url)) throw new BadOptions(`not a URL: ${url}`);
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'http:') throw new BadOptions(`the URL must begin with http: (got ${url})`);
  if (!LOOPBACK.test(hostname)) {
    throw new BadOptions(`load goes to this machine's loopback only (got ${hostname})`);
  }
  atLeast('connections', connections, 1);
  atLeast('threads', threads, 1);
  atLeast('pipelining', pipelining, 1);
  atLeast('timeoutMs', options.timeoutMs, 1);
  atLeast('warmUpMs', options.warmUpMs, 0);
  if (threads > connections) throw new BadOptions('each thread needs a connection');
  if (pipelining > 1 && !keepAlive) throw new BadOptions('pipelining needs keepAlive');
  if (rate !== null && !(rate > 0)) throw new BadOptions(`rate must be above 0 (got ${rate})`);
  if (requests === null) atLeast('durationMs', options.durationMs, 1);
  else atLeast('requests', requests, 1);
  createRequestSource(options);
}

function atLeast(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new BadOptions(`${name} must be a whole number of at least ${least} (got ${value})`);
}
