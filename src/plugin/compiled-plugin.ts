/**
 * The seam between the engine and everybody else: a plugin is compiled once, instantiated as often
 * as its isolation asks for, called, and closed. http/ and worker/ know these interfaces only.
 */

/** A plugin whose code was read, checked and compiled; holds no running state. */
export interface CompiledPlugin {
  /** SHA-256 of the exact bytes of its wasm files, lower-case hexadecimal. */
  readonly hash: string;
  /** Content of the `version` custom section where there is one, else empty. */
  readonly version: string;
  /** Names of the exported functions that can be called. */
  readonly functions: readonly string[];
  /**
   * Makes an instance that is ready for its first call.
   * @throws ServerError `PLUGIN_COMPILE_FAILED` when imports cannot be linked or initialisation fails.
   */
  instantiate(): Promise<PluginInstance>;
}

/** One running copy of a plugin. It has one caller from the call's start until its output is copied out. */
export interface PluginInstance {
  /**
   * Calls an exported function. `input` is copied; the result is the caller's own.
   * @throws ServerError `PLUGIN_ERROR`, `PLUGIN_TRAPPED`, `PLUGIN_LIMIT`, `CALL_DEADLINE` or `FUNCTION_NOT_EXPORTED`.
   */
  call(functionName: string, input: Uint8Array): Promise<Uint8Array>;
  /** True once a call left it in an unknown state: it must be closed and never called again. */
  readonly isPoisoned: boolean;
  /** Memory held now, in bytes. */
  readonly memoryBytes: number;
  /** Gives back files and memory. Idempotent. */
  close(): Promise<void>;
}
