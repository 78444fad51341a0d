/** What a load found; the same for our client and for the reports of `hey` and `wrk`. JSON. */

/** A distribution of durations, in microseconds. All 0 when nothing was measured. */
export interface Latency {
  readonly unit: 'us';
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
  /** [percentile 0..100, microseconds], rising; ever denser towards 100. */
  readonly percentiles: readonly (readonly [percentile: number, us: number])[];
}

/** How a request ended: the right answer, another body, 503 or 429, no answer or any other status. */
export type Outcome = 'ok' | 'wrong' | 'refused' | 'failed';

export interface LoadResult {
  readonly tool: 'plugind-load' | 'hey' | 'wrk';
  /** Measured requests: ok + wrong + refused + failed. Those in flight at an abort are in none of them. */
  readonly sent: number;
  readonly ok: number;
  /** Status 200 with another body. `hey` and `wrk` look at no body: 0. */
  readonly wrong: number;
  /** Status 503 or 429. */
  readonly refused: number;
  /** No complete answer, or another status. */
  readonly failed: number;
  /** Answers by status. */
  readonly byStatus: Readonly<Record<string, number>>;
  /** Why requests have no answer: a system error's code, TIMEOUT, CUT, BAD_RESPONSE, NOT_SENT (open loop: no connection was
   * free in its time). UNASKED is of no request: an answer that came without one. */
  readonly failures: Readonly<Record<string, number>>;
  /** Length of the measured time: until the last answer where a number of requests was asked for. */
  readonly seconds: number;
  /** Right answers that came within the measured time, a second (those after its end are in `ok` alone). */
  readonly requestsPerSecond: number;
  /** Of ok. */
  readonly latency: Latency;
  /** Of refused; null when there was none or the tool does not say. */
  readonly refusedLatency: Latency | null;
  /** Of ok, by part, for mixed traffic; null for any other. */
  readonly partLatency: { readonly quick: Latency; readonly slow: Latency } | null;
  /** Open loop: how late this client itself was in sending; null for a closed one. */
  readonly lateness: Latency | null;
  /** With warm-up: requests written to a socket, and complete answers, for a comparison with the server's counters. */
  readonly total: { readonly sent: number; readonly answered: number };
}

/** So far, for a progress line. */
export interface Progress {
  readonly phase: 'warm-up' | 'measure' | 'finish';
  readonly elapsedMs: number;
  /** Until the end of the whole run as far as is known; null before anything is. */
  readonly etaMs: number | null;
  readonly ok: number;
  readonly wrong: number;
  readonly refused: number;
  readonly failed: number;
  /** Right answers a second since the last report. */
  readonly requestsPerSecond: number;
}
