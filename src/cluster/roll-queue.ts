/**
 * Which rolls were asked for and how they ended. One runs at a time; whoever asks meanwhile gets
 * the one that comes next, since that reads everything anew anyway.
 */
import type { RollStatus } from '../admin/primary-status.ts';
import { ServerError } from '../errors.ts';
import type { Logger } from '../log.ts';

export type MutableRoll = { -readonly [Key in keyof RollStatus]: RollStatus[Key] };

export interface RollQueueOptions {
  /** Does it; fills in `accepted`. Throws why it failed. */
  readonly run: (roll: MutableRoll) => Promise<void>;
  readonly log: Logger;
}

/** Rolls that are remembered. */
const KEPT = 10;

export class RollQueue {
  readonly #options: RollQueueOptions;
  /** Oldest first. */
  #rolls: MutableRoll[] = [];
  #lastId = 0;
  #isBusy = false;
  readonly #results = { done: 0, failed: 0 };

  constructor(options: RollQueueOptions) {
    this.#options = options;
  }

  /** Ended ones since the start. */
  get results(): Readonly<Record<'done' | 'failed', number>> {
    return this.#results;
  }

  /** The latest first. */
  list(): RollStatus[] {
    return this.#rolls.toReversed().map((one) => ({ ...one }));
  }

  find(id: string): RollStatus | undefined {
    return this.#rolls.find((one) => one.id === id);
  }

  /** Returns at once; `trigger` says what asked. */
  request(trigger: string): RollStatus {
    const waiting = this.#rolls.find(({ state }) => state === 'waiting');
    if (waiting !== undefined) return waiting;
    const asked: MutableRoll = {
      id: String(++this.#lastId),
      state: 'waiting',
      trigger,
      startedAt: null,
      durationMs: null,
      reason: null,
      accepted: null,
    };
    this.#rolls = [...this.#rolls, asked].slice(-KEPT);
    void this.#work();
    return asked;
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) await this.#run(next);
    this.#isBusy = false;
  }

  #next(): MutableRoll | undefined {
    return this.#rolls.find(({ state }) => state === 'waiting');
  }

  async #run(current: MutableRoll): Promise<void> {
    const { run, log } = this.#options;
    const startedAt = performance.now();
    current.state = 'running';
    current.startedAt = new Date().toISOString();
    log.info({ roll: current.id, trigger: current.trigger }, 'roll started');
    let reason: string | null = null;
    await run(current).catch((thrown: unknown) => {
      reason = ServerError.from(thrown).message;
    });
    current.reason = reason;
    current.state = reason === null ? 'done' : 'failed';
    current.durationMs = Math.round(performance.now() - startedAt);
    this.#results[current.state]++;
    const { id, durationMs, accepted } = current;
    if (reason === null) log.info({ roll: id, durationMs, accepted }, 'roll done');
    else log.error({ roll: id, durationMs, reason }, 'roll failed');
  }
}
