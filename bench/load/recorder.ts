/** What one thread finds in one phase: outcomes, histograms, reasons. */
import { createHistogram, encodeHistogram, record } from './latency.ts';
import type { LiveCounters } from './live-counters.ts';
import type { Outcome } from './load-result.ts';

export const HISTOGRAMS = ['ok', 'refused', 'quick', 'slow', 'lateness'] as const;
export type HistogramName = (typeof HISTOGRAMS)[number];

/** A phase of one thread, as it goes to the main thread. */
export interface PhaseRecord {
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly failures: Readonly<Record<string, number>>;
  /** Right answers that came before the phase's end. */
  readonly okInTime: number;
  /** From the phase's begin to its last answer. */
  readonly lastAnswerMs: number;
  readonly written: number;
  readonly answered: number;
  /** Encoded; see latency.ts. */
  readonly histograms: Readonly<Record<HistogramName, string>>;
}

export interface Answered {
  readonly status: number;
  readonly isRight: boolean;
  readonly us: number;
  readonly part: 'quick' | 'slow' | null;
  /** Since the phase began. */
  readonly atMs: number;
}

const REFUSALS: readonly number[] = [503, 429];

export class Recorder {
  /** Counted by whoever sends. */
  written = 0;
  readonly #live: LiveCounters;
  readonly #endMs: number;
  readonly #outcomes: Record<Outcome, number> = { ok: 0, wrong: 0, refused: 0, failed: 0 };
  readonly #byStatus: Record<number, number> = {};
  readonly #failures: Record<string, number> = {};
  readonly #histograms = {
    ok: createHistogram(),
    refused: createHistogram(),
    quick: createHistogram(),
    slow: createHistogram(),
    lateness: createHistogram(),
  };
  #okInTime = 0;
  #lastAnswerMs = 0;
  #answered = 0;

  /** `endMs` after the phase's begin a right answer is too late for the rate; Infinity for a number of requests. */
  constructor(live: LiveCounters, endMs: number) {
    this.#live = live;
    this.#endMs = endMs;
  }

  answer(answered: Answered): void {
    const { status, us, part, atMs } = answered;
    this.#answered++;
    this.#lastAnswerMs = atMs;
    this.#byStatus[status] = (this.#byStatus[status] ?? 0) + 1;
    const outcome = outcomeOf(answered);
    this.#outcomes[outcome]++;
    this.#live.count(outcome);
    if (outcome === 'refused') record(this.#histograms.refused, us);
    if (outcome !== 'ok') return;
    if (atMs <= this.#endMs) this.#okInTime++;
    record(this.#histograms.ok, us);
    if (part !== null) record(this.#histograms[part], us);
    this.#live.observe(us);
  }

  /** A request without a complete answer. */
  failure(reason: string): void {
    this.#outcomes.failed++;
    this.#live.count('failed');
    this.#failures[reason] = (this.#failures[reason] ?? 0) + 1;
  }

  /** An answer too many. It is no request's, so it is named and not counted among them. */
  unasked(): void {
    this.#failures.UNASKED = (this.#failures.UNASKED ?? 0) + 1;
  }

  lateness(us: number): void {
    record(this.#histograms.lateness, us);
  }

  toRecord(): PhaseRecord {
    const encoded = Object.entries(this.#histograms).map(([name, histogram]) => [
      name,
      encodeHistogram(histogram),
    ]);
    return {
      outcomes: this.#outcomes,
      byStatus: this.#byStatus,
      failures: this.#failures,
      okInTime: this.#okInTime,
      lastAnswerMs: this.#lastAnswerMs,
      written: this.written,
      answered: this.#answered,
      histograms: Object.fromEntries(encoded) as Record<HistogramName, string>,
    };
  }
}

function outcomeOf({ status, isRight }: Answered): Outcome {
  if (status === 200) return isRight ? 'ok' : 'wrong';
  return REFUSALS.includes(status) ? 'refused' : 'failed';
}
