/** The connections of one thread and the phases that run over them, one after the other. */
import { ClosedLoop } from './closed-loop.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import type { LiveCounters } from './live-counters.ts';
import type { LoadOptions } from './load-options.ts';
import { OpenLoop } from './open-loop.ts';
import type { Pace, PaceContext, PhaseOrder } from './phase.ts';
import { type PhaseRecord, Recorder } from './recorder.ts';
import { createRequestSource } from './request-source.ts';
import type { SharedNumbers } from './shared-numbers.ts';

export interface EngineOptions {
  readonly load: LoadOptions;
  /** Which of the threads this is. */
  readonly thread: number;
  readonly numbers: SharedNumbers;
  readonly live: LiveCounters;
}

const READ_BUFFER_BYTES = 128 * 1024;
const MOST_CHECK_MS = 100;

interface RunningPhase {
  readonly startedAt: number;
  readonly recorder: Recorder;
  readonly pace: Pace;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (record: PhaseRecord) => void;
}

export class LoadEngine {
  readonly #options: EngineOptions;
  readonly #connections: readonly Connection[];
  #phase: RunningPhase | null = null;
  #isClosed = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    const { load, thread } = options;
    const { hostname, port } = new URL(load.url);
    const count = Math.floor((load.connections + load.threads - 1 - thread) / load.threads);
    const shared = {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port) || 80,
      keepAlive: load.keepAlive,
      depth: load.pipelining,
      source: createRequestSource(load),
      owner: this.#owner,
      readBuffer: Buffer.alloc(READ_BUFFER_BYTES),
    };
    this.#connections = Array.from({ length: count }, () => new Connection(shared));
  }

  /** Resolves when every request of the phase has ended, or at once after `close`. */
  run(order: PhaseOrder): Promise<PhaseRecord> {
    const { live, load, thread, numbers } = this.#options;
    const isTimed = order.requests === null;
    const recorder = new Recorder(live, isTimed ? order.durationMs : Number.POSITIVE_INFINITY);
    if (this.#isClosed) return Promise.resolve(recorder.toRecord());
    const context: PaceContext = {
      order,
      startedAt: performance.now(),
      connections: this.#connections,
      recorder,
      nextNumber: () => numbers.next(),
    };
    const { rate, threads, timeoutMs } = load;
    const pace =
      rate === null
        ? new ClosedLoop(context, () => numbers.takeOne())
        : new OpenLoop(context, { rate, thread, threads, timeoutMs });
    return new Promise((resolve) => {
      // Also what ends a phase in which no answer comes.
      const timer = setInterval(() => this.#onTimer(), Math.min(MOST_CHECK_MS, timeoutMs / 4));
      this.#phase = { startedAt: context.startedAt, recorder, pace, timer, resolve };
      pace.start();
      this.#settle();
    });
  }

  /** Sends what is due by now. */
  tick(): void {
    this.#phase?.pace.onTick();
  }

  /** Ends everything; the requests in flight are in no count. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const connection of this.#connections) connection.close();
    this.#end();
  }

  readonly #owner: ConnectionOwner = {
    onAnswer: (flight, status, isRight) => {
      const phase = this.#phase;
      if (phase === null) return;
      const now = performance.now();
      phase.recorder.answer({
        status,
        isRight,
        us: (now - flight.dueAt) * 1000,
        part: flight.shape.part,
        atMs: now - phase.startedAt,
      });
    },
    onFailure: (_flight, reason) => this.#phase?.recorder.failure(reason),
    onUnasked: () => this.#phase?.recorder.unasked(),
    onConnected: (change) => this.#options.live.connected(change),
    onRoom: (connection) => {
      this.#phase?.pace.onRoom(connection);
      this.#settle();
    },
  };

  #onTimer(): void {
    const tooOld = performance.now() - this.#options.load.timeoutMs;
    for (const connection of this.#connections) {
      const { oldest } = connection;
      if (oldest !== undefined && oldest.dueAt < tooOld) connection.fail('TIMEOUT');
    }
    this.tick();
    this.#settle();
  }

  /** Ends the phase when nothing is in flight and nothing will be sent. */
  #settle(): void {
    if (this.#phase?.pace.isOver() !== true) return;
    if (this.#connections.every(({ oldest }) => oldest === undefined)) this.#end();
  }

  #end(): void {
    if (this.#phase === null) return;
    const { timer, resolve, recorder } = this.#phase;
    this.#phase = null;
    clearInterval(timer);
    resolve(recorder.toRecord());
  }
}
