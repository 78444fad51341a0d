/**
 * The configuration after loading: every key filled, every path absolute, frozen.
 * The file's own shape (keys optional, paths relative to the file) is the schema in schema.ts,
 * which the compiler checks against these interfaces. Defaults stand in defaults.ts only.
 */

import type { LogLevel } from '../log.ts';

/** An address that a listener binds. */
export interface ListenConfig {
  /** Name or IP address; an IPv6 address without brackets. Default `127.0.0.1`. */
  readonly host: string;
  /** TCP port, 0 to 65535; 0 lets the system choose. Default 8080. */
  readonly port: number;
}

/** The private listener: `/metrics`, `/livez`, `/readyz`, `/status` and the live page. */
export interface AdminConfig extends ListenConfig {
  /** Bearer token. Required when `host` is not a loopback address, and with `onPublicPort`. Default none. */
  readonly token: string | null;
  /**
   * Serves the admin paths under the public port too, where they go before routes that match them by
   * a wildcard or parameter; a route of exactly such a path and method is refused. Default false.
   */
  readonly onPublicPort: boolean;
}

/** Limits of the HTTP server; each is set explicitly because Node's or Fastify's default is off or long. */
export interface HttpConfig {
  /** Largest request body in bytes. Default 1 MiB. */
  readonly bodyLimitBytes: number;
  /** Time a client has to send its request head. Default 5,000 ms. */
  readonly headersTimeoutMs: number;
  /** Time a client has to send its whole request. Default 10,000 ms. */
  readonly requestTimeoutMs: number;
  /** How long a client may take nothing of its reply; then its connection ends. Default 60,000 ms. */
  readonly sendTimeoutMs: number;
  /** How long an idle connection is kept. The grace of a drain follows it. Default 5,000 ms. */
  readonly keepAliveTimeoutMs: number;
  /** Connections of one worker; one over it is destroyed at once. Default 10,000. */
  readonly maxConnections: number;
}

/** How a worker leaves. */
export interface ShutdownConfig {
  /** Readiness says 503 this long before the listener closes, for balancers that poll. Default 0 ms. */
  readonly delayMs: number;
  /** Hard end of a drain; raise it with long calls. Default 10,000 ms. */
  readonly drainMs: number;
}

export interface LogConfig {
  /** Default `info`. */
  readonly level: LogLevel;
  /** One line a request. It doubles the CPU of a small request. Default false. */
  readonly requests: boolean;
}

/** Memory limits of one plugin; where its manifest says otherwise too, the stricter wins. */
export interface PluginMemoryConfig {
  /** Guest and kernel memory together, in pages of 64 KiB. Default 1,024 (64 MiB). */
  readonly maxPages: number;
  /** Names and values of the plugin's variables together. Default 1 MiB. */
  readonly maxVarBytes: number;
  /** Body of one response that the plugin fetched. Default 1 MiB. */
  readonly maxHttpResponseBytes: number;
  /** Output of one call. Default 8 MiB. */
  readonly maxOutputBytes: number;
}

/** Admission to a plugin, per worker. */
export interface QueueConfig {
  /** Requests that may wait; one more is refused with 503 at once. Default 1,000. */
  readonly max: number;
  /** How long one may wait before it is refused with 503. Default 5,000 ms. */
  readonly waitMs: number;
}

/** When an instance is replaced though it is healthy; 0 is never. */
export interface RecycleConfig {
  /** After this many calls. Default 0. */
  readonly calls: number;
  /** Once guest memory holds this many pages of 64 KiB. Default 0. */
  readonly pages: number;
}

/** One call after instantiation that must succeed before the plugin counts as ready. */
export interface ProbeConfig {
  readonly function: string;
  /** Text given as input. */
  readonly input: string;
  /** Text that must come back; absent: any output will do. */
  readonly output?: string;
}

/** `shared`: one instance, state survives; `pool`: `poolSize` of them; `fresh`: nothing survives a call. */
export type Isolation = 'shared' | 'pool' | 'fresh';
/**
 * `inline`: in the worker's own thread; `thread`: in a thread of the instance's own, which is ended at
 * the deadline. For calls of milliseconds, and for host functions that block or are async.
 */
export type Execution = 'inline' | 'thread';

/** Where a plugin's code comes from: a wasm file, or an Extism manifest (a file, or written inline). */
export type PluginSource =
  | { readonly kind: 'wasm'; readonly path: string }
  | { readonly kind: 'manifest-file'; readonly path: string }
  | {
      readonly kind: 'manifest';
      readonly manifest: Readonly<Record<string, unknown>>;
      readonly baseDir: string;
    };

/** One plugin of a worker. */
export interface PluginConfig {
  /** The key in `plugins`; label `plugin` of the metrics. */
  readonly name: string;
  /** Keys `wasm` or `manifest`; exactly one. */
  readonly source: PluginSource;
  /** Gives the plugin WASI preview 1. Default false. */
  readonly wasi: boolean;
  readonly isolation: Isolation;
  /** Instances of `isolation: "pool"`. Default 2. */
  readonly poolSize: number;
  readonly execution: Execution;
  /** Deadline of one call. Default 1,000 ms. */
  readonly timeoutMs: number;
  readonly memory: PluginMemoryConfig;
  readonly queue: QueueConfig;
  readonly recycle: RecycleConfig;
  /** What the plugin reads with `config_get`. Default none. */
  readonly config: Readonly<Record<string, string>>;
  /** Host patterns the plugin may fetch from; none where it is empty. Default null: its manifest's. */
  readonly allowedHosts: readonly string[] | null;
  /**
   * Host directory (absolute; `ro:` before it for reading only) -> path in the guest; none where it
   * is empty. Default null: its manifest's.
   */
  readonly allowedPaths: Readonly<Record<string, string>> | null;
  /** JavaScript module whose exports the guest may import. Default none. */
  readonly hostFunctions: string | null;
  readonly probe: ProbeConfig | null;
}

export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/** `raw`: body in, output out; `http`: the JSON envelope of a whole request and reply. */
export type RouteMode = 'raw' | 'http';

/** One public path. */
export interface RouteConfig {
  /** One method or several. Default `POST`. */
  readonly methods: readonly HttpMethod[];
  /** Fastify's path syntax: `/a`, `/a/:id`, `/a/*`. */
  readonly path: string;
  /** Key in `plugins`. */
  readonly plugin: string;
  /** Exported function. */
  readonly function: string;
  readonly mode: RouteMode;
  /** `content-type` of a raw reply. Default `text/plain; charset=utf-8`. */
  readonly contentType: string;
  /** Status for whatever the plugin does wrong, instead of 500, 502 and 504. Default none. */
  readonly errorStatus: number | null;
  /** `problem`: RFC 9457 JSON; `plugin`: the plugin's own error text. Default `problem`. */
  readonly errorBody: 'problem' | 'plugin';
}

/** Everything that plugind can be told. */
export interface PluginHostConfig {
  /** Where it was read from, for logs: a path, or a word for the arguments or the bundled plugin. */
  readonly origin: string;
  readonly listen: ListenConfig;
  readonly admin: AdminConfig;
  /** Processes. Resolved from `"auto"` = the smaller of the CPUs and the cgroup's quota. */
  readonly workers: number;
  readonly http: HttpConfig;
  readonly shutdown: ShutdownConfig;
  /** A worker whose event loop hangs this long is killed. Default 5,000 ms. */
  readonly watchdogMs: number;
  /** Rolls the workers when a plugin file or the configuration changes. Default false. */
  readonly watch: boolean;
  readonly log: LogConfig;
  readonly plugins: readonly PluginConfig[];
  readonly routes: readonly RouteConfig[];
}
