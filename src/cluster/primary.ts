/**
 * Our own primary: forks one worker a slot, restarts dead ones, and stops all of them on a signal.
 * It serves no request itself.
 */
import cluster from 'node:cluster';
import { ACCEPTED_VARIABLE } from '../config/accepted-config.ts';
import type { Logger } from '../log.ts';
import { EXPECTED_VARIABLE, RUN_DIR_VARIABLE } from './process-role.ts';
import { EXIT_OPERATOR_MISTAKE, WorkerSlot } from './worker-slot.ts';

export interface PrimaryOptions {
  /** File of the worker entry. */
  readonly workerFile: string;
  /** File of the configuration that every worker runs on. */
  readonly acceptedConfig: string;
  readonly workers: number;
  readonly runDir: string;
  /** Longest that a worker may take to leave: delay, drain and a margin. */
  readonly stopMs: number;
  readonly log: Logger;
  /** Once, when every worker is ready for the first time. */
  readonly onReady: () => void;
}

/** Beyond a worker's own hard end before it is killed. */
const FORCE_AFTER_MS = 2000;

/** Runs until it is told to stop. Resolves to the exit code of the process. */
export function runPrimary(options: PrimaryOptions): Promise<number> {
  return new Promise((resolve) => {
    new Primary(options, resolve).start();
  });
}

class Primary {
  readonly #options: PrimaryOptions;
  readonly #slots: WorkerSlot[];
  readonly #exit: (code: number) => void;
  #isStopping = false;
  #wasReady = false;

  constructor(options: PrimaryOptions, exit: (code: number) => void) {
    this.#options = options;
    this.#exit = exit;
    const env = {
      [ACCEPTED_VARIABLE]: options.acceptedConfig,
      [EXPECTED_VARIABLE]: String(options.workers),
      [RUN_DIR_VARIABLE]: options.runDir,
    };
    this.#slots = Array.from(
      { length: options.workers },
      (_, slot) =>
        new WorkerSlot({
          slot,
          env,
          log: options.log,
          onReady: () => this.#onWorkerReady(),
          onOperatorMistake: () => void this.#stop(EXIT_OPERATOR_MISTAKE),
        }),
    );
  }

  start(): void {
    cluster.setupPrimary({ exec: this.#options.workerFile, args: [] });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => this.#onSignal(signal));
    }
    for (const slot of this.#slots) slot.start();
  }

  #onWorkerReady(): void {
    if (this.#wasReady || !this.#slots.every((slot) => slot.isReady)) return;
    this.#wasReady = true;
    this.#options.onReady();
  }

  #onSignal(signal: string): void {
    this.#options.log.info({ signal, forced: this.#isStopping }, 'signal received');
    if (this.#isStopping) this.#force();
    else void this.#stop(0);
  }

  async #stop(code: number): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    let exitCode = code;
    const timer = setTimeout(() => {
      this.#options.log.error('workers did not leave in time, killing them');
      exitCode = 1;
      this.#force();
    }, this.#options.stopMs + FORCE_AFTER_MS);
    await Promise.all(this.#slots.map((slot) => slot.stop()));
    clearTimeout(timer);
    this.#exit(exitCode);
  }

  #force(): void {
    for (const slot of this.#slots) slot.kill();
  }
}
