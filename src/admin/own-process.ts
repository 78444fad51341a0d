/**
 * What a process tells of itself, and the shape in which it travels: its siblings read the same
 * JSON from its socket that `/status` shows. The composition in worker/ provides an `OwnProcess`.
 */
import { ServerError } from '../errors.ts';
import type { LifecycleState } from '../lifecycle/state.ts';

/** One plugin in one worker. */
export interface PluginStatus {
  readonly name: string;
  readonly hash: string;
  readonly functions: readonly string[];
  readonly isolation: string;
  readonly execution: string;
  /** Of the plugin itself, where its wasm says one. */
  readonly version: string;
  readonly limits: PluginLimits;
  /** Requests that wait for the lock now. */
  readonly waiters: number;
  readonly memoryBytes: number;
  /** Requests since the start by how they ended; those that never came up are left out. */
  readonly calls: Readonly<Record<string, number>>;
}

/** What one worker holds a plugin to. */
export interface PluginLimits {
  /** Deadline of one call. */
  readonly timeoutMs: number;
  /** Guest and host side together, in pages of 64 KiB. */
  readonly maxPages: number;
  /** Requests that may wait. */
  readonly maxWaiters: number;
  /** How long one may wait. */
  readonly waitMs: number;
  /** Calls at once. */
  readonly instances: number;
}

/** One worker that answers. */
export interface WorkerStatus {
  /** Decimal digits; label `worker` of the metrics. */
  readonly slot: string;
  readonly pid: number;
  readonly state: LifecycleState;
  readonly uptimeSeconds: number;
  /** Of plugind. */
  readonly version: string;
  /** Of Node, without the `v`. */
  readonly nodeVersion: string;
  readonly plugins: readonly PluginStatus[];
}

/** This process, for its siblings and for its own admin listener. */
export interface OwnProcess {
  status(): WorkerStatus;
  /** Its own metrics only, in Prometheus' text format. */
  metrics(): Promise<string>;
  /** Its report for the live page, with the rows after that number. */
  live(since: number): string;
}

const STATES: readonly unknown[] = ['starting', 'ready', 'draining', 'closed'];

/** The state a sibling names, or nothing when there is no such state. */
export function parseState(text: unknown): LifecycleState | undefined {
  return STATES.includes(text) ? (text as LifecycleState) : undefined;
}

/**
 * Reads a sibling's JSON. Plugins are shown as the sibling wrote them, so that siblings of another
 * version during a roll are not refused for a field more.
 * @throws ServerError `INTERNAL` when it is not the status of that slot and process.
 */
export function parseWorkerStatus(text: string, slot: string, pid: number): WorkerStatus {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ServerError('INTERNAL', 'status is not JSON', { cause: error });
  }
  const status = (value ?? {}) as Partial<Record<keyof WorkerStatus, unknown>>;
  const isValid =
    status.slot === slot &&
    status.pid === pid &&
    parseState(status.state) !== undefined &&
    typeof status.uptimeSeconds === 'number' &&
    typeof status.version === 'string' &&
    typeof status.nodeVersion === 'string' &&
    Array.isArray(status.plugins) &&
    status.plugins.every((plugin: unknown) => typeof plugin === 'object' && plugin !== null);
  if (!isValid) throw new ServerError('INTERNAL', 'status is not that of the worker asked');
  return status as unknown as WorkerStatus;
}
