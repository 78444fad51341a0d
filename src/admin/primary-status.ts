/**
 * What our own primary tells of itself over its socket, as JSON; `/status` shows it as `primary`.
 * Made in cluster/, read by admin/ and by `plugind reload`.
 */
import { ServerError } from '../errors.ts';

/**
 * `starting`: its worker is not ready yet; `waiting`: the worker died and a pause goes by;
 * `stopping`: for good, its workers drain or are gone.
 */
export type SlotState = 'starting' | 'ready' | 'waiting' | 'stopping';

export interface SlotStatus {
  readonly slot: string;
  readonly state: SlotState;
  readonly pid: number | null;
  /** Short hash of the configuration that it runs on. */
  readonly accepted: string;
  /** Why its worker was restarted -> how often. */
  readonly restarts: Readonly<Record<string, number>>;
  /** How the last worker that died without being asked ended, in words. */
  readonly lastDeath: string | null;
  /** Processes of this slot that drain. */
  readonly draining: readonly number[];
}

/** `waiting`: another roll runs. */
export type RollState = 'waiting' | 'running' | 'done' | 'failed';

export interface RollStatus {
  readonly id: string;
  readonly state: RollState;
  /** What asked for it: a signal, `reload` or `watch`. */
  readonly trigger: string;
  /** Wall clock, ISO 8601; null while it waits. */
  readonly startedAt: string | null;
  readonly durationMs: number | null;
  /** Why it failed. */
  readonly reason: string | null;
  /** Short hash of the configuration it brings, once that was read. */
  readonly accepted: string | null;
}

/** A worker that died without being asked. */
export interface DeathStatus {
  readonly slot: string;
  readonly pid: number | null;
  /** Wall clock, ISO 8601. */
  readonly at: string;
  /** Label `reason` of the restarts. */
  readonly reason: string;
  /** For a person. */
  readonly text: string;
}

export interface PrimaryStatus {
  readonly pid: number;
  readonly state: 'running' | 'stopping';
  readonly uptimeSeconds: number;
  /** Where the configuration comes from. */
  readonly origin: string;
  /** `HOST:PORT` of the public listener. */
  readonly listen: string;
  readonly expectedWorkers: number;
  /** Why `/readyz` says no though the worker asked is ready; empty when all is well. */
  readonly notReady: readonly string[];
  readonly slots: readonly SlotStatus[];
  /** The latest first; a few are kept. */
  readonly rolls: readonly RollStatus[];
  /** The latest first; a few are kept. */
  readonly deaths: readonly DeathStatus[];
}

/** @throws ServerError `INTERNAL` when the text is not such a status. */
export function parsePrimaryStatus(text: string): PrimaryStatus {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ServerError('INTERNAL', 'status of the primary is not JSON', { cause: error });
  }
  const status = (value ?? {}) as Partial<PrimaryStatus>;
  if (typeof status.pid !== 'number' || typeof status.expectedWorkers !== 'number') {
    throw new ServerError('INTERNAL', 'status is not that of a primary');
  }
  return status as PrimaryStatus;
}
