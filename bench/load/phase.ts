/** A part of a load: warm-up or measurement. What a thread is told of it, and what paces its requests. */
import type { Connection } from './connection.ts';
import type { Recorder } from './recorder.ts';

export interface PhaseOrder {
  readonly durationMs: number;
  /** Over all threads, in place of the duration; null for a duration. */
  readonly requests: number | null;
}

/** What a pace needs of the engine. Times are milliseconds of performance.now(). */
export interface PaceContext {
  readonly order: PhaseOrder;
  readonly startedAt: number;
  readonly connections: readonly Connection[];
  readonly recorder: Recorder;
  /** The next number over all threads. */
  nextNumber(): number;
}

/** When requests are sent. */
export interface Pace {
  start(): void;
  /** A connection has room. */
  onRoom(connection: Connection): void;
  /** Called often; sends what is due. */
  onTick(): void;
  /** Whether nothing will be sent any more. */
  isOver(): boolean;
}
