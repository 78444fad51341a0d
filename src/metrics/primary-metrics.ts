/**
 * The metrics that only our own primary knows: its workers, their restarts, its rolls. Read from
 * it at each scrape; served on its socket, merged into every worker's `/metrics`.
 */
import { Counter, Gauge, Registry } from 'prom-client';

/** What the primary knows now. */
export interface PrimaryFigures {
  readonly expectedWorkers: number;
  /** State -> how many workers are in it; every state, those with none too. */
  readonly workers: Readonly<Record<string, number>>;
  /** Each slot with its restarts by reason. */
  readonly restarts: readonly {
    readonly slot: string;
    readonly byReason: Readonly<Record<string, number>>;
  }[];
  /** Result -> how many rolls ended so. */
  readonly rolls: Readonly<Record<string, number>>;
}

/** The result gives everything in Prometheus' text format 0.0.4. */
export function createPrimaryMetrics(figures: () => PrimaryFigures): () => Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  new Gauge({
    name: 'plugind_workers_expected',
    help: 'Workers that the primary means to keep.',
    registers,
    collect() {
      this.set(figures().expectedWorkers);
    },
  });
  new Gauge({
    name: 'plugind_workers',
    help: 'Worker processes by state, as the primary sees them; waiting: a pause before a restart.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const [state, count] of Object.entries(figures().workers)) this.set({ state }, count);
    },
  });
  new Counter({
    name: 'plugind_worker_restarts_total',
    help: 'Times that the worker of a slot was restarted, by how the one before ended.',
    labelNames: ['worker', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const { slot, byReason } of figures().restarts) {
        for (const [reason, count] of Object.entries(byReason)) {
          this.inc({ worker: slot, reason }, count);
        }
      }
    },
  });
  new Counter({
    name: 'plugind_rolls_total',
    help: 'Rolls that were ended, by result.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(figures().rolls)) this.inc({ result }, count);
    },
  });
  return () => registry.metrics();
}
