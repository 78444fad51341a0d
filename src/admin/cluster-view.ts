/**
 * What all processes of the app say together: one metrics text and one status. A sibling that does
 * not answer, or whose answer cannot be read, is shown as such and spoils nothing.
 * Used by the admin routes of every worker.
 */
import { ServerError } from '../errors.ts';
import type { LifecycleState } from '../lifecycle/state.ts';
import type { Logger } from '../log.ts';
import { type Family, parseExposition } from '../metrics/exposition.ts';
import { mergeMetrics } from '../metrics/merge-metrics.ts';
import type { PrimaryReply } from './ask-primary.ts';
import { parseWorkerStatus, type WorkerStatus } from './own-process.ts';
import { type PrimaryStatus, parsePrimaryStatus } from './primary-status.ts';
import type { SiblingAnswer, Siblings, SilentSibling, Subject } from './siblings.ts';

export interface ClusterViewOptions {
  readonly siblings: Pick<Siblings, 'ask'>;
  /** How many workers the primary means to keep, or null when it did not say. */
  readonly expectedWorkers: () => number | null;
  /** Asks our own primary; absent where there is none, as under pm2. */
  readonly askPrimary?: (subject: Subject) => Promise<PrimaryReply>;
  readonly log: Pick<Logger, 'warn'>;
}

/** The body of `/status`. */
export interface ClusterStatus {
  readonly expectedWorkers: number | null;
  /** Our own primary; null where there is none or it does not answer. */
  readonly primary: PrimaryStatus | null;
  /** Every process, by slot; during a reload two have the same one. */
  readonly workers: readonly (WorkerStatus | SilentSibling)[];
}

/** One process's metrics, read. */
interface Reading {
  readonly slot: string;
  readonly pid: number;
  readonly state: LifecycleState | 'silent';
  readonly uptimeSeconds: number;
  readonly families: readonly Family[];
}

const RANK: Readonly<Record<Reading['state'], number>> = {
  ready: 4,
  starting: 3,
  draining: 2,
  closed: 1,
  silent: 0,
};

export class ClusterView {
  readonly #options: ClusterViewOptions;

  constructor(options: ClusterViewOptions) {
    this.#options = options;
  }

  /** Every worker's metrics in Prometheus' text format 0.0.4, with who answered. */
  async metrics(): Promise<string> {
    const { siblings, expectedWorkers, log } = this.#options;
    const [all, primary] = await Promise.all([
      siblings.ask('metrics', (answer) => this.#read(answer)),
      this.#primary('metrics', parseExposition),
    ]);
    const readings = onePerSlot(all);
    // The primary itself says how many it expects: it may have changed since this worker's start.
    const presence = presenceFamilies(readings, primary === null ? expectedWorkers() : null);
    const sources = [presence, primary ?? [], ...readings.map((one) => one.families)];
    const { text, conflicts } = mergeMetrics(sources);
    if (conflicts.length > 0) log.warn({ conflicts }, 'workers disagree on the type of metrics');
    return text;
  }

  /** Who there is and what they run. */
  async status(): Promise<ClusterStatus> {
    const { siblings, expectedWorkers } = this.#options;
    const [workers, primary] = await Promise.all([
      siblings.ask('status', (answer) => this.#readStatus(answer)),
      this.#primary('status', parsePrimaryStatus),
    ]);
    return {
      expectedWorkers: primary?.expectedWorkers ?? expectedWorkers(),
      primary,
      workers: workers.sort(bySlot),
    };
  }

  /** Null where there is no primary of ours, or no answer of use. */
  async #primary<Result>(subject: Subject, read: (text: string) => Result): Promise<Result | null> {
    const { askPrimary, log } = this.#options;
    if (askPrimary === undefined) return null;
    try {
      return read((await askPrimary(subject)).body);
    } catch (err) {
      log.warn({ err }, 'answer of the primary cannot be read');
      return null;
    }
  }

  #read(answer: SiblingAnswer): Reading {
    const nothing = { uptimeSeconds: 0, families: [] };
    if (answer.state === 'silent') return { ...answer, ...nothing };
    const reading = this.#attempt(answer, () => {
      const families = parseExposition(answer.body);
      if (families.length === 0) throw new ServerError('INTERNAL', 'metrics text is empty');
      return { ...answer, families };
    });
    return 'families' in reading ? reading : { ...reading, ...nothing };
  }

  #readStatus(answer: SiblingAnswer): WorkerStatus | SilentSibling {
    if (answer.state === 'silent') return answer;
    return this.#attempt(answer, () => parseWorkerStatus(answer.body, answer.slot, answer.pid));
  }

  /** An answer that cannot be read is none. */
  #attempt<Result>({ slot, pid }: SiblingAnswer, read: () => Result): Result | SilentSibling {
    try {
      return read();
    } catch (error) {
      this.#options.log.warn({ err: error, slot, pid }, 'answer of a sibling cannot be read');
      return { slot, pid, state: 'silent' };
    }
  }
}

/**
 * Two processes share a slot during a reload, and their series would collide. The better state
 * wins, then the longer uptime: whoever is asked chooses alike, and the series change hands once,
 * when the old one begins to drain. What the old one counts after that is not seen.
 */
function onePerSlot(readings: readonly Reading[]): Reading[] {
  const chosen = new Map<string, Reading>();
  for (const reading of readings) {
    const rival = chosen.get(reading.slot);
    if (rival === undefined || compare(reading, rival) > 0) chosen.set(reading.slot, reading);
  }
  return [...chosen.values()].sort(bySlot);
}

function compare(a: Reading, b: Reading): number {
  return RANK[a.state] - RANK[b.state] || a.uptimeSeconds - b.uptimeSeconds || b.pid - a.pid;
}

function bySlot(a: { slot: string; pid: number }, b: { slot: string; pid: number }): number {
  return Number(a.slot) - Number(b.slot) || a.pid - b.pid;
}

function presenceFamilies(readings: readonly Reading[], expected: number | null): Family[] {
  const up = {
    name: 'plugind_worker_up',
    help: 'Whether the worker of this slot answered this scrape.',
    type: 'gauge',
    samples: readings.map(
      ({ slot, state }) => `plugind_worker_up{worker="${slot}"} ${state === 'silent' ? 0 : 1}\n`,
    ),
  };
  if (expected === null) return [up];
  const name = 'plugind_workers_expected';
  const help = 'Workers that the primary means to keep.';
  return [up, { name, help, type: 'gauge', samples: [`${name} ${expected}\n`] }];
}
