/**
 * Takes a row of the live page's history each second, on the wall clock's whole seconds so that
 * the rows of all workers lie over each other; how long a row spans is taken from a monotonic
 * clock. Runs whether or not somebody looks: 5 us a second and plugin.
 */
import type { LiveReading } from './live-columns.ts';
import type { LiveHistory } from './live-history.ts';

export interface LiveSamplerOptions {
  readonly history: LiveHistory;
  /** Of every plugin, always in the same order. */
  readonly readings: () => readonly LiveReading[];
  /** Milliseconds since 1970. Default the system's. */
  readonly wallClock?: () => number;
  /** Monotonic, in ms. Default the system's. */
  readonly clock?: () => number;
}

const PERIOD_MS = 1000;

export class LiveSampler {
  readonly #options: Required<LiveSamplerOptions>;
  /** The counters at the end of the last row. */
  readonly #before: Float64Array[] = [];
  readonly #now: Float64Array;
  #lastAt: number;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: LiveSamplerOptions) {
    const wallClock = (): number => Date.now();
    const clock = (): number => performance.now();
    this.#options = { wallClock, clock, ...options };
    this.#now = new Float64Array(options.history.columns.count);
    this.#lastAt = this.#options.clock();
  }

  /** From here on a row each second. The first is short: it follows on the last of a worker that leaves. */
  start(): void {
    this.#sampleIn(this.#untilWhole());
  }

  /** Idempotent. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** Adds the row of what happened since the last one. */
  sample(): void {
    const { history, readings, wallClock, clock } = this.#options;
    const at = clock();
    const plugins = readings().map((read, plugin) => this.#increments(read, plugin));
    history.add({ timeMs: wallClock(), spanMs: Math.round(at - this.#lastAt), plugins });
    this.#lastAt = at;
  }

  #sampleIn(pauseMs: number): void {
    this.#timer = setTimeout(() => {
      this.sample();
      const untilWhole = this.#untilWhole();
      // A timer that came a little early would otherwise come twice, and a late one halve the next row.
      this.#sampleIn(untilWhole < PERIOD_MS / 2 ? untilWhole + PERIOD_MS : untilWhole);
    }, pauseMs);
    this.#timer.unref();
  }

  #untilWhole(): number {
    return PERIOD_MS - (this.#options.wallClock() % PERIOD_MS);
  }

  #increments(read: LiveReading, plugin: number): Float64Array {
    const { columns } = this.#options.history;
    this.#before[plugin] ??= new Float64Array(columns.count);
    const before = this.#before[plugin];
    read(this.#now);
    // A difference of sums of time may fall by a rounding error.
    const row = this.#now.map((value, index) => Math.max(0, value - (before[index] as number)));
    row[columns.waiters] = this.#now[columns.waiters] as number;
    before.set(this.#now);
    return row;
  }
}
