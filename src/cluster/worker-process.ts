/**
 * One forked worker from its start to its exit. It tells what happens to it; whether that is right
 * and who comes next is for its slot. A worker that is late to start or to leave is killed.
 */
import cluster, { type Worker } from 'node:cluster';
import type { Accepted } from '../config/accepted-config.ts';
import { ServerError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { isFailed, type LeaveMessage, READY_MESSAGE } from './worker-messages.ts';

/** Why a worker is gone: the label `reason` of the restarts. `late`: it was killed for it. */
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
  /** null: the system gave no process. */
  readonly #worker: Worker | null;
  readonly #startMs: number;
  #startTimer: NodeJS.Timeout;
  #stopTimer: NodeJS.Timeout | null = null;
  #readyAt: number | null = null;
  #isLate = false;
  #failure: string | null = null;

  constructor({ env, accepted, startMs, log }: WorkerProcessOptions) {
    this.accepted = accepted;
    this.#startMs = startMs;
    this.#startTimer = setTimeout(() => {
      this.#isLate = true;
      this.kill();
    }, startMs);
    const worker = this.#fork(env);
    this.#worker = worker;
    const becameReady = new Promise<true>((resolve) => {
      worker?.on('message', (message: unknown) => {
        if (message === READY_MESSAGE) {
          clearTimeout(this.#startTimer);
          this.#readyAt ??= performance.now();
          resolve(true);
        } else if (isFailed(message)) this.#failure = message.message;
      });
    });
    this.gone = new Promise((resolve) => {
      const end = (code: number | null, signal: string | null): void =>
        resolve(this.#death(code, signal));
      if (worker === null) end(null, null);
      worker?.once('exit', end);
      worker?.on('error', (err) => {
        log.warn({ workerPid: this.pid, err }, 'worker channel failed');
        // Without a process there is no exit. Otherwise it died while it was spoken to, and its
        // exit is what counts.
        if (this.pid !== null) return;
        this.#failure ??= describeNoProcess(err);
        end(null, null);
      });
    });
    this.ready = Promise.race([becameReady, this.gone]).then((end) => {
      if (end !== true) throw new ServerError('INTERNAL', end.text);
    });
    // Nobody has to wait for it.
    this.ready.catch(() => {});
  }

  get pid(): number | null {
    return this.#worker?.process.pid ?? null;
  }

  get isReady(): boolean {
    return this.#readyAt !== null;
  }

  /** Asks it to drain and leave, and kills it after `limitMs`. Resolves when it is gone. */
  stop(word: LeaveMessage, limitMs: number): Promise<Death> {
    clearTimeout(this.#startTimer);
    // Node drops a message to a worker that does not listen yet. A signal ends such a worker, and one
    // that listens by now drains.
    if (!this.isReady) this.#worker?.process.kill('SIGTERM');
    else if (this.#worker?.isConnected()) this.#worker.send(word);
    this.#stopTimer ??= setTimeout(() => {
      this.#isLate = true;
      this.kill();
    }, limitMs);
    return this.gone;
  }

  /** Resolves when it has lived on for `ms`. @throws ServerError how it ended before that. */
  async live(ms: number): Promise<void> {
    if (ms === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const lived = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, ms, null);
    });
    const death = await Promise.race([lived, this.gone]);
    clearTimeout(timer);
    if (death !== null) throw new ServerError('INTERNAL', death.text);
  }

  send(message: object): void {
    if (this.#worker?.isConnected()) this.#worker.send(message);
  }

  /** Ends it without asking. */
  kill(): void {
    this.#worker?.process.kill('SIGKILL');
  }

  #fork(env: Readonly<Record<string, string>>): Worker | null {
    try {
      return cluster.fork(env);
    } catch (error) {
      this.#failure = describeNoProcess(error as Error);
      return null;
    }
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
    if (this.#isLate && this.#stopTimer !== null) return 'the worker did not leave in time';
    if (this.#isLate) return `the worker was not ready within ${this.#startMs} ms`;
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
    return `the worker ended ${how}${this.isReady ? '' : ' before it was ready'}`;
  }
}

/** Memory, processes or descriptors are used up; that may pass. */
function describeNoProcess(error: Error): string {
  return `the system gave no process for the worker: ${error.message}`;
}
