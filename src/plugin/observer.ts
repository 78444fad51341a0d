/**
 * What a served plugin tells about itself. worker/ joins this to the metrics; neither side
 * imports the other.
 */
import type { Execution, Isolation } from '../config/types.ts';
import type { ErrorCode } from '../errors.ts';
import type { LockObserver } from '../lock/lock.ts';
import type { FreshWay } from './choose-fresh-way.ts';

/** How one request to a plugin ended: the metrics label `outcome`. */
export type Outcome = 'ok' | ErrorCode;

/** Told of every step of every request; must not throw. Times are in seconds. */
export interface PluginObserver extends LockObserver {
  /** Exactly once for each request, whether it reached the plugin or was refused before. */
  called(functionName: string, outcome: Outcome): void;
  /** A call ended at a limit: its `details.limit`, which for most is the limit's configuration key. */
  limited(limit: string): void;
  /**
   * An instance was closed and another made in its place, or laid back to its start after a call that
   * poisoned it. Not told where each call has its own: with `fresh` by new instances, and for a command.
   */
  replaced(reason: ReplaceReason): void;
}

/**
 * Why an instance was replaced: a call left it in an unknown state or without memory for another, it
 * served the calls or held the pages that `recycle` allows, or its memory grew by more than is worth restoring.
 */
export type ReplaceReason = 'poisoned' | 'calls' | 'pages' | 'grown';

/** `ready`: takes calls; `starting`: being made; `poisoned`: trapped or over a limit, being replaced. */
export type InstanceState = 'starting' | 'ready' | 'poisoned';

/** Read at scrape time, so that the hot path keeps no gauges. */
export interface PluginGauges {
  /** Requests that wait for the lock now. */
  waiters(): number;
  /** Time that the lock's permits were held since the start, those held now included. */
  busySeconds(): number;
  /** Memory of all instances, guest and host side, in bytes. */
  memoryBytes(): number;
  instances(): Readonly<Record<InstanceState, number>>;
}

/** What stays the same for a plugin's life in one worker. */
export interface PluginDescription {
  /** Key in `plugins` of the configuration. */
  readonly name: string;
  /** SHA-256 of the exact bytes of its wasm files, lower-case hexadecimal. */
  readonly hash: string;
  /** From the wasm's `version` custom section where there is one, else empty. */
  readonly version: string;
  /** Functions that a route calls. */
  readonly functions: readonly string[];
  readonly isolation: Isolation;
  /** How `fresh` gets its state for each call; null for the other isolations. */
  readonly freshWay: FreshWay | null;
  readonly execution: Execution;
  readonly timeoutMs: number;
  /** Of one instance, guest and host side together. */
  readonly maxPages: number;
  readonly maxWaiters: number;
  readonly waitMs: number;
  /** Calls at once. */
  readonly instances: number;
}
