/** What a load is told. Serialisable, since every thread gets it. */
import type { Traffic } from './traffic.ts';

export interface LoadOptions {
  /**
   * `http:` and an address of this machine's loopback, nothing else. With GET a unique number goes where the URL
   * says `{id}`, else into the query as `id=NUMBER`.
   */
  readonly url: string;
  readonly method: 'POST' | 'GET';
  /** Request number n (n counts over all threads, from 0, warm-up included) and what must come back. */
  readonly traffic: Traffic;
  /** Over all threads; at least one a thread. */
  readonly connections: number;
  /** Threads of this process that send. */
  readonly threads: number;
  /** Requests in flight on one connection; 1 = none waits behind another. Needs `keepAlive`. */
  readonly pipelining: number;
  /** False: a new connection for each request; its latency then includes connecting. */
  readonly keepAlive: boolean;
  /**
   * Requests/s over all threads, sent whether or not the server keeps up (open loop): latency counts from the
   * moment a request was due, so a stall is seen by all whom it delays. null: each connection sends its
   * next request on the last one's answer (closed loop).
   */
  readonly rate: number | null;
  /** Measured time; not looked at when `requests` is given. */
  readonly durationMs: number;
  /** Sent and checked in the same way before that, but not counted. */
  readonly warmUpMs: number;
  /** Exactly so many measured requests in place of a duration. */
  readonly requests: number | null;
  /** From the moment a request was due; then it has failed and its connection is closed. */
  readonly timeoutMs: number;
}
