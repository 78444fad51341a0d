/**
 * One slot of the own primary: it keeps one worker alive, restarting it by the restart policy.
 * It knows its worker's state from messages and exits; which slots there are is the primary's.
 */
import cluster, { type Worker } from 'node:cluster';
import type { Logger } from '../log.ts';
import { RESTARTS_VARIABLE, SLOT_VARIABLE } from './process-role.ts';
import { RestartPolicy } from './restart-policy.ts';

/** Sent by a worker once all its listeners are bound; pm2 knows the same word. */
export const READY_MESSAGE = 'ready';
/** Asks a worker to drain and leave; pm2 sends the same word. */
export const SHUTDOWN_MESSAGE = 'shutdown';
/** A worker's exit code for a mistake that only the operator can mend. */
export const EXIT_OPERATOR_MISTAKE = 2;

export interface WorkerSlotOptions {
  readonly slot: number;
  /** Environment of the worker, without the slot's own variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: Logger;
  /** Every time a worker of this slot becomes ready. */
  readonly onReady: () => void;
  /** A worker said that the configuration is wrong; restarting cannot help. */
  readonly onOperatorMistake: () => void;
}

export class WorkerSlot {
  readonly #options: WorkerSlotOptions;
  readonly #policy = new RestartPolicy();
  #worker: Worker | null = null;
  #readyAt: number | null = null;
  #restarts = 0;
  #isStopping = false;
  #restartTimer: NodeJS.Timeout | null = null;
  #whenStopped: (() => void) | null = null;

  constructor(options: WorkerSlotOptions) {
    this.#options = options;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get isReady(): boolean {
    return this.#readyAt !== null;
  }

  /** Starts the worker. */
  start(): void {
    const { slot, env } = this.#options;
    const worker = cluster.fork({
      ...env,
      [SLOT_VARIABLE]: String(slot),
      [RESTARTS_VARIABLE]: String(this.#restarts),
    });
    this.#worker = worker;
    this.#readyAt = null;
    worker.on('message', (message: unknown) => {
      if (message !== READY_MESSAGE) return;
      this.#readyAt = performance.now();
      this.#options.onReady();
    });
    // A worker that dies while it is spoken to; its exit is what counts.
    worker.on('error', (error) =>
      this.#options.log.warn({ slot, err: error }, 'worker channel failed'),
    );
    worker.once('exit', (code, signal) => this.#onExit(code, signal));
  }

  /** Asks the worker to drain; resolves when it is gone. Idempotent. */
  stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    if (this.#worker === null) return Promise.resolve();
    const stopped = new Promise<void>((resolve) => {
      this.#whenStopped = resolve;
    });
    if (this.#worker.isConnected()) this.#worker.send(SHUTDOWN_MESSAGE);
    return stopped;
  }

  /** Ends the worker without asking. */
  kill(): void {
    this.#worker?.process.kill('SIGKILL');
  }

  #onExit(code: number | null, signal: string | null): void {
    const { slot, log } = this.#options;
    const servedMs = this.#readyAt === null ? 0 : performance.now() - this.#readyAt;
    const pid = this.#worker?.process.pid;
    this.#worker = null;
    this.#readyAt = null;
    if (this.#isStopping) {
      log.info({ slot, pid, code, signal }, 'worker stopped');
      this.#whenStopped?.();
      return;
    }
    if (code === EXIT_OPERATOR_MISTAKE) {
      this.#options.onOperatorMistake();
      return;
    }
    const pauseMs = this.#policy.pauseAfter(servedMs);
    log.error(
      { slot, pid, code, signal, servedMs: Math.round(servedMs), pauseMs },
      'worker died, restarting',
    );
    this.#restarts++;
    this.#restartTimer = setTimeout(() => this.start(), pauseMs);
  }
}
