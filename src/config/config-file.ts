/**
 * The shape of plugind.json as it is written: keys may be absent, paths are relative to the file.
 * schema.ts checks a file against these interfaces and the compiler checks schema.ts against them;
 * complete-config.ts turns them into the filled interfaces of types.ts, where the fields are described.
 */
import type {
  AdminConfig,
  Execution,
  HttpConfig,
  HttpMethod,
  Isolation,
  ListenConfig,
  LogConfig,
  PluginMemoryConfig,
  ProbeConfig,
  QueueConfig,
  RecycleConfig,
  RouteMode,
  ShutdownConfig,
} from './types.ts';

/** One entry of `plugins`. Exactly one of `wasm` and `manifest` is present. */
export interface PluginEntry {
  readonly wasm?: string;
  /** A file, or an Extism manifest written inline. */
  readonly manifest?: string | Readonly<Record<string, unknown>>;
  readonly wasi?: boolean;
  readonly isolation?: Isolation;
  readonly poolSize?: number;
  readonly execution?: Execution;
  readonly timeoutMs?: number;
  readonly memory?: Partial<PluginMemoryConfig>;
  readonly queue?: Partial<QueueConfig>;
  readonly recycle?: Partial<RecycleConfig>;
  readonly config?: Readonly<Record<string, string>>;
  readonly allowedHosts?: readonly string[];
  readonly allowedPaths?: Readonly<Record<string, string>>;
  readonly hostFunctions?: string | null;
  readonly probe?: ProbeConfig | null;
}

/** One entry of `routes`. */
export interface RouteEntry {
  readonly method?: HttpMethod | readonly HttpMethod[];
  readonly path: string;
  readonly plugin: string;
  readonly function: string;
  readonly mode?: RouteMode;
  readonly contentType?: string;
  readonly errorStatus?: number | null;
  readonly errorBody?: 'problem' | 'plugin';
}

/** A whole configuration file. */
export interface ConfigFile {
  /** For editors only. */
  readonly $schema?: string;
  readonly listen?: Partial<ListenConfig>;
  readonly admin?: Partial<AdminConfig>;
  readonly workers?: number | 'auto';
  readonly http?: Partial<HttpConfig>;
  readonly shutdown?: Partial<ShutdownConfig>;
  readonly watchdogMs?: number;
  readonly watch?: boolean;
  readonly log?: Partial<LogConfig>;
  readonly plugins: Readonly<Record<string, PluginEntry>>;
  readonly routes: readonly RouteEntry[];
}
