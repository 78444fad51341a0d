/**
 * One slot of the own primary: it keeps one worker alive, restarting it by the restart policy, and
 * replaces it without a gap. It knows its workers' states; which slots there are is the primary's.
 */
import type { SlotState, SlotStatus } from '../admin/primary-status.ts';
import { ACCEPTED_VARIABLE, type Accepted } from '../config/accepted-config.ts';
import type { Logger } from '../log.ts';
import { RETIRE } from '../worker/stop-reason.ts';
import { SLOT_VARIABLE } from './process-role.ts';
import { RestartPolicy } from './restart-policy.ts';
import type { LeaveMessage, NotReadyMessage } from './worker-messages.ts';
import { DEATH_REASONS, type Death, type DeathReason, WorkerProcess } from './worker-process.ts';

export interface WorkerSlotOptions {
  readonly slot: number;
  /** Environment of the worker, without what is the slot's. */
  readonly env: () => Readonly<Record<string, string>>;
  /** What its first worker runs on. */
  readonly accepted: Accepted;
  /** How long a worker that runs on this may take to become ready. */
  readonly startMs: (accepted: Accepted) => number;
  /** How long a worker that runs on this may take to leave. */
  readonly stopMs: (accepted: Accepted) => number;
  readonly log: Logger;
  /** Every time the state of a worker changes. */
  readonly onChange: () => void;
  /** A worker died without being asked; it will be restarted unless the slot is stopped. */
  readonly onDeath: (death: Death) => void;
}

/** Characters of a hash that are shown. */
export const SHORT_HASH = 12;

export class WorkerSlot {
  readonly #options: WorkerSlotOptions;
  readonly #policy = new RestartPolicy();
  readonly #restarts: Record<DeathReason, number>;
  readonly #draining = new Set<WorkerProcess>();
  #accepted: Accepted;
  #worker: WorkerProcess | null = null;
  /** The worker that a roll is starting. */
  #candidate: WorkerProcess | null = null;
  #lastDeath: string | null = null;
  #diedOf: string | null = null;
  #isStopping = false;
  #isForced = false;
  #restartTimer: NodeJS.Timeout | null = null;

  constructor(options: WorkerSlotOptions) {
    this.#options = options;
    this.#accepted = options.accepted;
    this.#restarts = Object.fromEntries(DEATH_REASONS.map((reason) => [reason, 0])) as Record<
      DeathReason,
      number
    >;
  }

  get isReady(): boolean {
    return this.#worker?.isReady === true;
  }

  /** How a worker of this slot died since the last `replace`, or null. */
  get diedOf(): string | null {
    return this.#diedOf;
  }

  /** Why readiness has to say no, or null. */
  get trouble(): string | null {
    if (!this.#policy.isStorm) return null;
    return `slot ${this.#options.slot} restarted more than 10 times in a minute: ${this.#lastDeath}`;
  }

  /** Everything that a worker of this slot, a draining one too, runs or would be restarted on. */
  get inUse(): Accepted[] {
    const workers = [this.#worker, this.#candidate, ...this.#draining];
    return [this.#accepted, ...workers.flatMap((worker) => (worker ? [worker.accepted] : []))];
  }

  /** Number of workers that were asked to leave and have not yet. */
  get draining(): number {
    return this.#draining.size;
  }

  status(): SlotStatus {
    const worker = this.#worker ?? this.#candidate;
    return {
      slot: String(this.#options.slot),
      state: this.#state(worker),
      pid: worker?.pid ?? null,
      accepted: (worker?.accepted ?? this.#accepted).hash.slice(0, SHORT_HASH),
      restarts: { ...this.#restarts },
      lastDeath: this.#lastDeath,
      draining: [...this.#draining].flatMap(({ pid }) => (pid === null ? [] : [pid])),
    };
  }

  #state(worker: WorkerProcess | null): SlotState {
    if (this.#isStopping) return 'stopping';
    if (worker === null) return 'waiting';
    return worker.isReady ? 'ready' : 'starting';
  }

  /** Starts the worker. */
  start(): void {
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    this.#restartTimer = null;
    this.#keep(this.#fork(this.#accepted));
  }

  /**
   * Starts a worker on something else, and only when it is ready, and has been for `provenMs`,
   * retires the one there is.
   * @throws ServerError why the new worker is not; the old one goes on as if nothing had been.
   */
  async replace(accepted: Accepted, provenMs = 0): Promise<void> {
    const candidate = this.#fork(accepted);
    this.#candidate = candidate;
    try {
      await candidate.ready;
      await candidate.live(provenMs);
    } finally {
      this.#candidate = null;
    }
    const old = this.#worker;
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    this.#restartTimer = null;
    this.#accepted = accepted;
    this.#policy.reset();
    this.#diedOf = null;
    this.#keep(candidate);
    if (old !== null) this.#letGo(old, RETIRE);
    if (this.#isStopping) this.#letGo(candidate, 'shutdown');
  }

  /** What the next worker is to run on when the one there is dies. */
  prefer(accepted: Accepted): void {
    this.#accepted = accepted;
  }

  /** Tells the worker that serves. */
  send(message: NotReadyMessage): void {
    this.#worker?.send(message);
  }

  /** Resolves when no worker of this slot drains any more. */
  async drained(): Promise<void> {
    await Promise.all([...this.#draining].map(({ gone }) => gone));
  }

  /**
   * Asks its workers to drain, with those of all slots or (`retire`) alone; resolves when they are
   * gone, to whether all left in time. Idempotent.
   */
  async stop(word: LeaveMessage = 'shutdown'): Promise<boolean> {
    this.#isStopping = true;
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    if (this.#worker !== null) this.#letGo(this.#worker, word);
    if (this.#candidate !== null) this.#letGo(this.#candidate, word);
    const ends = await Promise.all([...this.#draining].map(({ gone }) => gone));
    return ends.every(({ reason }) => reason !== 'late');
  }

  /** Ends its workers without asking. */
  kill(): void {
    this.#isForced = true;
    for (const worker of [this.#worker, this.#candidate, ...this.#draining]) worker?.kill();
  }

  #fork(accepted: Accepted): WorkerProcess {
    const { slot, env, startMs, log } = this.#options;
    return new WorkerProcess({
      env: {
        ...env(),
        [SLOT_VARIABLE]: String(slot),
        [ACCEPTED_VARIABLE]: accepted.file,
      },
      accepted,
      startMs: startMs(accepted),
      log: log.child({ slot }),
    });
  }

  /** Makes it the slot's own, which is restarted when it dies. */
  #keep(worker: WorkerProcess): void {
    this.#worker = worker;
    this.#options.onChange();
    worker.ready.then(
      () => this.#options.onChange(),
      () => {},
    );
    void worker.gone.then((death) => {
      if (this.#worker === worker) this.#onDeath(death);
    });
  }

  /** Asks it to leave. From here on its exit is no death. */
  #letGo(worker: WorkerProcess, word: LeaveMessage): void {
    if (this.#worker === worker) this.#worker = null;
    if (this.#draining.has(worker)) return;
    const { slot, log, stopMs, onChange } = this.#options;
    this.#draining.add(worker);
    void worker.stop(word, stopMs(worker.accepted)).then(({ pid, code, signal, reason }) => {
      this.#draining.delete(worker);
      const isLate = reason === 'late';
      // One that was not ready ends by the signal that asks it to.
      const isDeath = code !== 0 && worker.isReady && !this.#isForced;
      const ended = isDeath ? 'worker died while it drained' : 'worker stopped';
      const message = isLate ? 'worker did not leave in time, killed' : ended;
      log[isLate || isDeath ? 'error' : 'info']({ slot, workerPid: pid, code, signal }, message);
      onChange();
    });
    onChange();
  }

  #onDeath(death: Death): void {
    const { slot, log, onChange, onDeath } = this.#options;
    const { text, pid: workerPid, ...fields } = death;
    this.#worker = null;
    this.#lastDeath = text;
    this.#diedOf = text;
    this.#restarts[death.reason]++;
    const pauseMs = this.#policy.pauseAfter(death.servedMs);
    log.error({ slot, workerPid, ...fields, text, pauseMs }, 'worker died, restarting');
    this.#restartTimer = setTimeout(() => this.start(), pauseMs);
    onChange();
    onDeath(death);
  }
}
