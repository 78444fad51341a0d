/**
 * HTTP for a guest that is suspended while it waits: for calls in the worker's own thread, on
 * engines with `WebAssembly.Suspending`.
 */
import type { GuestHttp } from '../kernel/http-host.ts';
import { type GuestHttpLimits, GuestHttpRequester } from './guest-http-requester.ts';

export interface SuspendingHttpOptions extends GuestHttpLimits {
  /** What is left of the running call; asked at each request. */
  readonly remainingMs: () => number;
}

/** One for one instance. `close` ends what runs and drops kept connections; idempotent. */
export type SuspendingHttp = Extract<GuestHttp, { kind: 'suspending' }> & {
  readonly close: () => void;
};

export function createSuspendingHttp(options: SuspendingHttpOptions): SuspendingHttp {
  const requester = new GuestHttpRequester(options);
  return {
    kind: 'suspending',
    request: (request, body) => requester.send(request, body, options.remainingMs()),
    close: () => requester.close(),
  };
}
