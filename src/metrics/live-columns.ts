/**
 * What the live page's history keeps of one plugin, as columns of one flat row of numbers: the
 * calls by outcome, the buckets of both lock histograms, the time that permits were held, and who
 * waits. All but the last are counters, so that rows of several plugins, workers and seconds add up.
 */
import type { DurationSeries } from './duration-histogram.ts';

/** Writes a plugin's counters as they stand into a row of `LiveColumns.count` numbers. */
export type LiveReading = (target: Float64Array) => void;

/** Where a plugin's row is read from. */
export interface LiveSource {
  readonly outcomes: Readonly<Record<string, number>>;
  readonly wait: DurationSeries;
  readonly hold: DurationSeries;
  readonly gauges: { waiters(): number; busySeconds(): number };
}

export class LiveColumns {
  /** In order: column n counts the calls that ended so. */
  readonly outcomes: readonly string[];
  /** Upper bounds of the buckets in seconds, without +Inf, which has a column too. */
  readonly bounds: readonly number[];
  /** First column of the wait buckets, of the hold buckets, and the columns after them. */
  readonly wait: number;
  readonly hold: number;
  /** Microseconds. */
  readonly busy: number;
  /** The one column that is a state: requests that wait when the row is taken. */
  readonly waiters: number;
  readonly count: number;

  constructor(outcomes: readonly string[], bounds: readonly number[]) {
    this.outcomes = outcomes;
    this.bounds = bounds;
    this.wait = outcomes.length;
    this.hold = this.wait + bounds.length + 1;
    this.busy = this.hold + bounds.length + 1;
    this.waiters = this.busy + 1;
    this.count = this.waiters + 1;
  }

  write(target: Float64Array, { outcomes, wait, hold, gauges }: LiveSource): void {
    this.outcomes.forEach((outcome, column) => {
      target[column] = outcomes[outcome] ?? 0;
    });
    wait.copyCounts(target, this.wait);
    hold.copyCounts(target, this.hold);
    target[this.busy] = Math.round(gauges.busySeconds() * 1e6);
    target[this.waiters] = gauges.waiters();
  }
}
