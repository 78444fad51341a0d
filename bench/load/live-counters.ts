/**
 * What one thread has done so far, in memory that the main thread reads whenever it likes: no message, no lock,
 * since each figure has one writer. Feeds the progress line and /metrics. Warm-up is in it.
 */
import type { Outcome } from './load-result.ts';

export const OUTCOMES: readonly Outcome[] = ['ok', 'wrong', 'refused', 'failed'];

/** Upper bounds in seconds of the classic histogram of right answers. */
export const LATENCY_BOUNDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

const CONNECTIONS = OUTCOMES.length;
const SUM = CONNECTIONS + 1;
const FIRST_BUCKET = SUM + 1;
const SLOTS = FIRST_BUCKET + LATENCY_BOUNDS.length + 1;

export type LiveMemory = Float64Array<SharedArrayBuffer>;

export interface LiveFigures {
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly connections: number;
  /** Seconds of all right answers together. */
  readonly sumSeconds: number;
  /** Right answers by bound of {@link LATENCY_BOUNDS}, not cumulative; the last one is beyond all. */
  readonly buckets: readonly number[];
}

export function createLiveMemory(): LiveMemory {
  return new Float64Array(new SharedArrayBuffer(SLOTS * Float64Array.BYTES_PER_ELEMENT));
}

/** The writer's side. */
export class LiveCounters {
  readonly #memory: LiveMemory;

  constructor(memory: LiveMemory) {
    this.#memory = memory;
  }

  count(outcome: Outcome): void {
    (this.#memory[OUTCOMES.indexOf(outcome)] as number)++;
  }

  observe(us: number): void {
    const seconds = us / 1e6;
    let bucket = 0;
    while (bucket < LATENCY_BOUNDS.length && seconds > (LATENCY_BOUNDS[bucket] as number)) bucket++;
    (this.#memory[FIRST_BUCKET + bucket] as number)++;
    (this.#memory[SUM] as number) += seconds;
  }

  connected(change: 1 | -1): void {
    (this.#memory[CONNECTIONS] as number) += change;
  }
}

/** All threads together. */
export function readLiveFigures(memories: readonly LiveMemory[]): LiveFigures {
  const sum = (slot: number): number =>
    memories.reduce((total, memory) => total + (memory[slot] ?? 0), 0);
  return {
    outcomes: { ok: sum(0), wrong: sum(1), refused: sum(2), failed: sum(3) },
    connections: sum(CONNECTIONS),
    sumSeconds: sum(SUM),
    buckets: Array.from({ length: LATENCY_BOUNDS.length + 1 }, (_, index) =>
      sum(FIRST_BUCKET + index),
    ),
  };
}
