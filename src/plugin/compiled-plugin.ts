/**
 * The seam between the engine and everybody else: a plugin is compiled once, instantiated as often
 * as its isolation asks for, called, and closed. http/ and worker/ know these interfaces only.
 */
import type { Execution } from '../config/types.ts';
import type { DefinitionRow } from './manifest/describe-definition.ts';

/** A plugin whose code was read, checked, guarded and compiled; holds no running state. */
export interface CompiledPlugin {
  /** SHA-256 of the exact bytes of its wasm files, lower-case hexadecimal. */
  readonly hash: string;
  /** Content of the `version` custom section where there is one, else empty. */
  readonly version: string;
  /** Names of the exported functions that can be called. */
  readonly functions: readonly string[];
  /** What it may have, who settled that, and which part of the engine holds it to that. */
  readonly fields: readonly DefinitionRow[];
  /** Where its instances run: as configured, or in a thread where nothing else can. */
  readonly execution: Execution;
  /** Who chose that, for people. */
  readonly executionReason: string;
  /** Deadline of one call: the stricter of configuration and manifest. */
  readonly timeoutMs: number;
  /** Guest and host side together: the stricter as well. */
  readonly maxPages: number;
  /**
   * Makes an instance that is ready for its first call.
   * @throws ServerError `PLUGIN_COMPILE_FAILED` when imports cannot be linked or initialisation
   * fails, `CALL_DEADLINE` or `PLUGIN_LIMIT` when initialisation goes beyond its bounds.
   */
  instantiate(): Promise<PluginInstance>;
  /** Gives back what is kept for instances to come. Closes no instance. Idempotent. */
  close(): Promise<void>;
}

/** The entry of a WASI command: its exit code is its result, and it is meant to run once. */
export const COMMAND_ENTRY = '_start';

/** One running copy of a plugin. It has one caller from the call's start until its output is copied out. */
export interface PluginInstance {
  /**
   * Calls an exported function, {@link COMMAND_ENTRY} as the last one at most. `input` is copied; the result is the caller's own. A promise only
   * where the plugin waits on the host or runs in a thread.
   * @param hostContext what host functions read as `hostContext()`.
   * @throws ServerError `PLUGIN_ERROR`, `PLUGIN_TRAPPED`, `PLUGIN_LIMIT`, `PLUGIN_BAD_OUTPUT`,
   * `CALL_DEADLINE` or `FUNCTION_NOT_EXPORTED`.
   */
  call(
    functionName: string,
    input: Uint8Array,
    hostContext?: unknown,
  ): Uint8Array | Promise<Uint8Array>;
  /** True once a call left it in an unknown state: it must be restored, or closed and never called again. */
  readonly isPoisoned: boolean;
  /** Guest and host side, in bytes. */
  readonly memoryBytes: number;
  /** The guest's own part, in pages of 64 KiB. */
  readonly guestPages: number;
  /**
   * Back to the state after initialisation, without variables; after a call that poisoned it only where
   * that is what a new instance would be. False when it cannot be done: then the instance has to be replaced.
   */
  restore(): boolean | Promise<boolean>;
  /** Gives back files, threads and memory. Idempotent. */
  close(): Promise<void>;
}
