/**
 * Our own primary: one worker a slot, dead ones restarted, rolls on a signal or on request, and
 * all of them stopped on a signal. It serves no request itself and compiles no plugin.
 */
import cluster from 'node:cluster';
import type { DeathStatus, PrimaryStatus, SlotState } from '../admin/primary-status.ts';
import { type Accepted, assertSameAddresses, removeUnaccepted } from '../config/accepted-config.ts';
import { startLimitMs } from '../config/start-limit.ts';
import type { Logger } from '../log.ts';
import { createPrimaryMetrics, type PrimaryFigures } from '../metrics/primary-metrics.ts';
import { createPrimaryServer, type PrimaryServer } from './primary-server.ts';
import { isStop, type PrimarySignals } from './primary-signals.ts';
import { EXPECTED_VARIABLE, RUN_DIR_VARIABLE } from './process-role.ts';
import { roll } from './roll.ts';
import { type MutableRoll, RollQueue } from './roll-queue.ts';
import { SourceWatch } from './source-watch.ts';
import { EXIT_OPERATOR_MISTAKE } from './worker-messages.ts';
import type { Death } from './worker-process.ts';
import { SHORT_HASH, WorkerSlot } from './worker-slot.ts';

export interface PrimaryOptions {
  /** File of the worker entry. */
  readonly workerFile: string;
  /** What the workers run on. */
  readonly accepted: Accepted;
  /** Reads configuration and plugins anew, as at the start. Throws what is wrong with them. */
  readonly readAnew: () => Promise<Accepted>;
  readonly runDir: string;
  readonly signals: PrimarySignals;
  readonly log: Logger;
  /** Once, when every worker is ready for the first time. */
  readonly onReady: () => void;
}

/** Beyond a worker's own hard end before it is killed. */
const FORCE_AFTER_MS = 2000;
/** Deaths of workers that are remembered. */
const KEPT_DEATHS = 20;
/** npm passes on the SIGINT that a terminal gave to the whole process group: the two are one. */
const SAME_SIGNAL_MS = 500;

/** Runs until it is told to stop. Resolves to the exit code of the process. @throws ServerError when its socket cannot be bound. */
export async function runPrimary(options: PrimaryOptions): Promise<number> {
  return new Primary(options).run();
}

class Primary {
  readonly #options: PrimaryOptions;
  readonly #slots: WorkerSlot[] = [];
  readonly #rolls: RollQueue;
  readonly #startedAt = performance.now();
  readonly #watch: SourceWatch;
  #accepted: Accepted;
  #stoppingSince: number | null = null;
  #wasReady = false;
  #notReady: readonly string[] = [];
  /** The latest first. */
  #deaths: readonly DeathStatus[] = [];
  #exit: (code: number) => void = () => {};

  constructor(options: PrimaryOptions) {
    const { log, accepted } = options;
    this.#options = options;
    this.#accepted = accepted;
    this.#rolls = new RollQueue({ run: (asked) => this.#roll(asked), log });
    this.#watch = new SourceWatch({ onSettled: () => this.#request('watch') });
  }

  async run(): Promise<number> {
    const socket = await this.#listen();
    const exited = new Promise<number>((resolve) => {
      this.#exit = resolve;
    });
    cluster.setupPrimary({ exec: this.#options.workerFile, args: [] });
    for (let slot = 0; slot < this.#accepted.config.workers; slot++) {
      this.#slots.push(this.#createSlot(slot, this.#accepted));
    }
    for (const slot of this.#slots) slot.start();
    this.#options.signals.follow((signal) => {
      if (isStop(signal)) this.#onStopSignal(signal);
      else this.#request(signal);
    });
    this.#watch.follow(this.#accepted);
    // Readiness recovers by time alone, which no event tells.
    const ticker = setInterval(() => this.#tellReadiness(), 1000);
    const code = await exited;
    clearInterval(ticker);
    this.#watch.close();
    await socket.close();
    return code;
  }

  #listen(): Promise<PrimaryServer> {
    return createPrimaryServer({
      runDir: this.#options.runDir,
      status: () => this.#status(),
      metrics: createPrimaryMetrics(() => this.#figures()),
      requestRoll: () => this.#rolls.request('reload'),
      findRoll: (id) => this.#rolls.find(id),
    });
  }

  #createSlot(slot: number, accepted: Accepted): WorkerSlot {
    const { runDir, log } = this.#options;
    return new WorkerSlot({
      slot,
      accepted,
      env: () => ({
        [EXPECTED_VARIABLE]: String(this.#accepted.config.workers),
        [RUN_DIR_VARIABLE]: runDir,
      }),
      startMs: ({ config }) => startLimitMs(config),
      stopMs,
      log,
      onChange: () => this.#onChange(),
      onDeath: (death) => this.#onDeath(String(slot), death),
    });
  }

  #request(trigger: string): void {
    if (this.#stoppingSince === null) this.#rolls.request(trigger);
  }

  async #roll(asked: MutableRoll): Promise<void> {
    try {
      const next = await this.#options.readAnew();
      asked.accepted = next.hash.slice(0, SHORT_HASH);
      assertSameAddresses(this.#accepted.config, next.config);
      // Also when it fails: the next change of what was wrong is to be seen.
      this.#watch.follow(next);
      await roll({
        slots: this.#slots,
        createSlot: (slot, accepted) => this.#createSlot(slot, accepted),
        previous: this.#accepted,
        next,
        isStopping: () => this.#stoppingSince !== null,
        log: this.#options.log,
      });
      this.#accepted = next;
      this.#options.log.level = next.config.log.level;
    } finally {
      // Slots may be gone since the last change, those perhaps that were not ready.
      this.#onChange();
      await this.#removeUnaccepted();
    }
  }

  async #removeUnaccepted(): Promise<void> {
    const { runDir, log } = this.#options;
    const inUse = [this.#accepted, ...this.#slots.flatMap((slot) => slot.inUse)];
    await removeUnaccepted(runDir, inUse).catch((err: unknown) => {
      log.warn({ err }, 'old accepted files cannot be removed');
    });
  }

  #onChange(): void {
    this.#tellReadiness();
    if (this.#wasReady || !this.#slots.every((slot) => slot.isReady)) return;
    this.#wasReady = true;
    this.#options.onReady();
  }

  /** An operator's mistake ends a server that never served; one that serves keeps what it has. */
  #onDeath(slot: string, { code, pid, reason, text }: Death): void {
    const death = { slot, pid, at: new Date().toISOString(), reason, text };
    this.#deaths = [death, ...this.#deaths].slice(0, KEPT_DEATHS);
    const isServing = this.#wasReady || this.#slots.some((slot) => slot.isReady);
    if (code === EXIT_OPERATOR_MISTAKE && !isServing) void this.#stop(EXIT_OPERATOR_MISTAKE);
  }

  #tellReadiness(): void {
    const reasons = this.#slots.flatMap(({ trouble }) => (trouble === null ? [] : [trouble]));
    const isNews = reasons.join() !== this.#notReady.join();
    this.#notReady = reasons;
    if (isNews && reasons.length > 0) this.#options.log.error({ reasons }, 'not ready');
    if (!isNews && reasons.length === 0) return;
    for (const slot of this.#slots) slot.send({ plugind: 'not-ready', reasons });
  }

  #onStopSignal(signal: string): void {
    const since = this.#stoppingSince;
    const isForced = since !== null && performance.now() - since > SAME_SIGNAL_MS;
    this.#options.log.info({ signal, forced: isForced }, 'signal received');
    if (isForced) this.#force();
    else void this.#stop(0);
  }

  async #stop(code: number): Promise<void> {
    if (this.#stoppingSince !== null) return;
    this.#stoppingSince = performance.now();
    const left = await Promise.all(this.#slots.map((slot) => slot.stop()));
    this.#exit(left.every((inTime) => inTime) ? code : 1);
  }

  #force(): void {
    for (const slot of this.#slots) slot.kill();
  }

  #status(): PrimaryStatus {
    const { config } = this.#accepted;
    return {
      pid: process.pid,
      state: this.#stoppingSince === null ? 'running' : 'stopping',
      uptimeSeconds: (performance.now() - this.#startedAt) / 1000,
      origin: config.origin,
      listen: `${config.listen.host}:${config.listen.port}`,
      expectedWorkers: config.workers,
      notReady: this.#notReady,
      slots: this.#slots.map((slot) => slot.status()),
      rolls: this.#rolls.list(),
      deaths: this.#deaths,
    };
  }

  #figures(): PrimaryFigures {
    const slots = this.#slots.map((slot) => slot.status());
    const count = (state: SlotState): number => slots.filter((one) => one.state === state).length;
    return {
      expectedWorkers: this.#accepted.config.workers,
      workers: {
        starting: count('starting'),
        ready: count('ready'),
        waiting: count('waiting'),
        draining: slots.reduce((sum, { draining }) => sum + draining.length, 0),
      },
      restarts: slots.map(({ slot, restarts }) => ({ slot, byReason: restarts })),
      rolls: this.#rolls.results,
    };
  }
}

function stopMs({ config }: Accepted): number {
  const { delayMs, drainMs } = config.shutdown;
  return delayMs + drainMs + FORCE_AFTER_MS;
}
