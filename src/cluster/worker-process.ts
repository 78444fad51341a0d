/**
 * One forked worker from its start to its exit. It tells what happens to it; whether that is right
 * and who comes next is for its slot. A worker that is late to start or to leave is killed.
 */
import cluster, { type Worker } from 'node:cluster';
import type { Accepted } from '../config/accepted-config.ts';
import { ServerError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { isFailed, READY_MESSAGE, SHUTDOWN_MESSAGE } from './worker-messages.ts';

/** Why a worker is gone: the label `reason` of the restarts. */
export type DeathReason = 'exit' | 'signal' | 'late';

export const DEATH_REASONS: readonly DeathReason[] = ['exit', 'signal', 'late'];

export interface Death {
  readonly pid: number | null;
  readonly code: number | null;
  readonly signal: string | null;
  readonly reason: DeathReason;
  /** How long it had been ready; 0 if it never was. */
  readonly servedMs: number;
  /** For a person. */
  readonly text: string;
}

export interface WorkerProcessOptions {
  readonly env: Readonly<Record<string, string>>;
  /** What it runs on. */
  readonly accepted: Accepted;
  /** How long it may take to become ready. */
  readonly startMs: number;
  readonly log: Logger;
}

export class WorkerProcess {
  readonly accepted: Accepted;
  /** Resolves when it is ready; rejects with the reason when it is gone before. */
  readonly ready: Promise<void>;
  /** Resolves when it is gone. */
  readonly gone: Promise<Death>;
  readonly #worker: Worker;
  readonly #startMs: number;
  #startTimer: NodeJS.Timeout;
  #stopTimer: NodeJS.Timeout | null = null;
  #readyAt: number | null = null;
  #isLate = false;
  #failure: string | null = null;

  constructor({ env, accepted, startMs, log }: WorkerProcessOptions) {
    this.accepted = accepted;
    this.#startMs = startMs;
    const worker = cluster.fork(env);
    this.#worker = worker;
    this.#startTimer = setTimeout(() => {
      this.#isLate = true;
      this.kill();
    }, startMs);
    // A worker that dies while it is spoken to; its exit is what counts.
    worker.on('error', (err) => log.warn({ workerPid: this.pid, err }, 'worker channel failed'));
    const becameReady = new Promise<true>((resolve) => {
      worker.on('message', (message: unknown) => {
        if (message === READY_MESSAGE) {
          clearTimeout(this.#startTimer);
          this.#readyAt ??= performance.now();
          resolve(true);
        } else if (isFailed(message)) this.#failure = message.message;
      });
    });
    this.gone = new Promise((resolve) => {
      worker.once('exit', (code, signal) => resolve(this.#death(code, signal)));
    });
    this.ready = Promise.race([becameReady, this.gone]).then((end) => {
      if (end !== true) throw new ServerError('INTERNAL', end.text);
    });
    // Nobody has to wait for it.
    this.ready.catch(() => {});
  }

  get pid(): number | null {
    return this.#worker.process.pid ?? null;
  }

  get isReady(): boolean {
    return this.#readyAt !== null;
  }

  /** Asks it to drain and leave, and kills it after `limitMs`. Resolves when it is gone. */
  stop(limitMs: number): Promise<Death> {
    clearTimeout(this.#startTimer);
    if (this.#worker.isConnected()) this.#worker.send(SHUTDOWN_MESSAGE);
    this.#stopTimer ??= setTimeout(() => this.kill(), limitMs);
    return this.gone;
  }

  send(message: object): void {
    if (this.#worker.isConnected()) this.#worker.send(message);
  }

  /** Ends it without asking. */
  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }

  #death(code: number | null, signal: string | null): Death {
    clearTimeout(this.#startTimer);
    if (this.#stopTimer !== null) clearTimeout(this.#stopTimer);
    const servedMs = this.#readyAt === null ? 0 : Math.round(performance.now() - this.#readyAt);
    const { pid } = this;
    const reason = this.#isLate ? 'late' : signal === null ? 'exit' : 'signal';
    return { pid, code, signal, reason, servedMs, text: this.#describe(code, signal) };
  }

  #describe(code: number | null, signal: string | null): string {
    if (this.#failure !== null) return this.#failure;
    if (this.#isLate) return `the worker was not ready within ${this.#startMs} ms`;
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
    return `the worker ended ${how}${this.isReady ? '' : ' before it was ready'}`;
  }
}
