/**
 * Requests at a fixed rate, whether or not the server keeps up. Each has its moment from the beginning, and its
 * latency counts from there: when all connections wait for a server that stalls, the requests that could not be
 * sent meanwhile are late by what they waited. Measured from sending they would look quick (coordinated omission).
 */
import type { Connection } from './connection.ts';
import type { Pace, PaceContext } from './phase.ts';

export interface OpenLoopOptions {
  /** Requests/s of all threads. */
  readonly rate: number;
  readonly thread: number;
  readonly threads: number;
  readonly timeoutMs: number;
}

/** Why a request failed that no connection had room for in its time. */
const NOT_SENT = 'NOT_SENT';

export class OpenLoop implements Pace {
  readonly #context: PaceContext;
  readonly #options: OpenLoopOptions;
  /** Of this thread. */
  readonly #total: number;
  /** Connections with room, the one that waits longest first: all are used alike. */
  #free: Connection[] = [];
  readonly #isFree = new Set<Connection>();
  /** The next request of this thread. Those that are due and not sent are behind it, so there is no queue. */
  #next = 0;
  /** Whether requests that are due wait for connections, not for us. */
  #isBlocked = false;

  constructor(context: PaceContext, options: OpenLoopOptions) {
    this.#context = context;
    this.#options = options;
    const { requests, durationMs } = context.order;
    const all = requests ?? Math.round((durationMs * options.rate) / 1000);
    this.#total = Math.max(0, Math.ceil((all - options.thread) / options.threads));
  }

  start(): void {
    for (const connection of this.#context.connections) this.#addFree(connection);
    this.onTick();
  }

  onRoom(connection: Connection): void {
    this.#addFree(connection);
    this.onTick();
  }

  onTick(): void {
    const now = performance.now();
    while (this.#next < this.#total) {
      const dueAt = this.#dueAt(this.#next);
      if (dueAt > now) {
        this.#isBlocked = false;
        return;
      }
      if (now - dueAt > this.#options.timeoutMs) {
        this.#next++;
        this.#context.recorder.failure(NOT_SENT);
        continue;
      }
      const connection = this.#takeFree();
      if (connection === null) {
        this.#isBlocked = true;
        return;
      }
      if (!this.#isBlocked) this.#context.recorder.lateness((now - dueAt) * 1000);
      this.#next++;
      this.#send(connection, dueAt);
    }
  }

  isOver(): boolean {
    return this.#next >= this.#total;
  }

  /** Thread t of T has requests t, t + T, t + 2T of an even row. */
  #dueAt(index: number): number {
    const { rate, thread, threads } = this.#options;
    return this.#context.startedAt + ((index * threads + thread) * 1000) / rate;
  }

  #send(connection: Connection, dueAt: number): void {
    this.#context.recorder.written++;
    connection.send(this.#context.nextNumber(), dueAt);
    connection.flush();
    if (connection.room > 0) this.#addFree(connection);
  }

  #addFree(connection: Connection): void {
    if (connection.room === 0 || this.#isFree.has(connection)) return;
    this.#isFree.add(connection);
    this.#free.push(connection);
  }

  #takeFree(): Connection | null {
    for (;;) {
      const connection = this.#free.shift();
      if (connection === undefined) return null;
      this.#isFree.delete(connection);
      if (connection.room > 0) return connection;
    }
  }
}
