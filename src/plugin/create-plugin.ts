/**
 * The library: an Extism plugin for a program of one's own, safe to call from many concurrent
 * requests. Each call waits for its turn on one of the plugin's instances; everything that bounds a
 * plugin in the server bounds it here.
 */
import path from 'node:path';
import { PLUGIN_DEFAULTS } from '../config/defaults.ts';
import type {
  Execution,
  Isolation,
  PluginConfig,
  PluginMemoryConfig,
  PluginSource,
  QueueConfig,
  RecycleConfig,
} from '../config/types.ts';
import { ServerError } from '../errors.ts';
import { UNMARKED } from './call-marker.ts';
import type { EngineEnvironment, GuestLine } from './engine-environment.ts';
import type { HostFunctions } from './kernel/bind-host-functions.ts';
import { PluginOutput } from './kernel/plugin-output.ts';
import { createServedPlugin, type ServedPlugin } from './served-plugin.ts';

export interface CreatePluginOptions {
  /** Path of a wasm file, its bytes, or an Extism manifest; paths in a manifest are relative to the current directory. */
  readonly wasm: string | Uint8Array | Readonly<Record<string, unknown>>;
  /** For messages. Default `plugin`. */
  readonly name?: string;
  /** Gives the plugin WASI preview 1. Default false. */
  readonly wasi?: boolean;
  /** Default `shared`: one instance, whose state survives between calls. */
  readonly isolation?: Isolation;
  /** Instances of `isolation: "pool"`. Default 2. */
  readonly poolSize?: number;
  /**
   * Default `inline`: calls block the calling thread. `thread`: in a thread of each instance's own,
   * ended at the deadline whatever holds it. A plugin that fetches runs in a thread also by default
   * where the engine cannot suspend it (before Node 25).
   */
  readonly execution?: Execution;
  /** Deadline of one call. Default 1,000 ms. */
  readonly timeoutMs?: number;
  readonly memory?: Partial<PluginMemoryConfig>;
  readonly queue?: Partial<QueueConfig>;
  readonly recycle?: Partial<RecycleConfig>;
  /** What the plugin reads with `config_get`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Hosts it may fetch from, in place of the manifest's; `[]` is none. */
  readonly allowedHosts?: readonly string[];
  /** Host directory (`ro:` before it for reading only) -> path in the guest, in place of the manifest's; `{}` is none. */
  readonly allowedPaths?: Readonly<Record<string, string>>;
  /**
   * Import namespace -> name -> function, called with a context of the SDK's shape first. Async
   * functions need an engine with JSPI (Node 25). They cannot go to a thread: give
   * `hostFunctionsFile` there.
   */
  readonly hostFunctions?: HostFunctions;
  /**
   * A JavaScript module that exports such namespaces by name. In a thread each thread loads it for
   * itself, and its functions may be async on every engine.
   */
  readonly hostFunctionsFile?: string;
  /** Takes the lines that the plugin writes. Default: they are dropped. */
  readonly onGuestLine?: (line: GuestLine) => void;
}

export interface CallOptions {
  /** What host functions read as `hostContext()` during this call; in a thread, a clone of it. */
  readonly hostContext?: unknown;
  /** Takes the call out of the queue; a call that runs is not interrupted, its deadline ends it. */
  readonly signal?: AbortSignal;
}

/** A plugin that is ready to be called. */
export interface Plugin {
  /** SHA-256 of its wasm files. */
  readonly hash: string;
  /** Functions that can be called. */
  readonly functions: readonly string[];
  /**
   * Calls a function once it is this call's turn. Text goes in as UTF-8.
   * @throws ServerError `QUEUE_FULL`, `WAIT_DEADLINE`, `CLIENT_CLOSED` (aborted), `SHUTTING_DOWN`,
   * `CALL_DEADLINE`, `PLUGIN_ERROR`, `PLUGIN_TRAPPED`, `PLUGIN_LIMIT`, `PLUGIN_BAD_OUTPUT` or
   * `FUNCTION_NOT_EXPORTED`.
   */
  call(
    functionName: string,
    input?: string | Uint8Array,
    options?: CallOptions,
  ): Promise<PluginOutput>;
  /** Refuses who waits, lets running calls end, frees everything. Idempotent. */
  close(): Promise<void>;
}

/**
 * Compiles and instantiates a plugin.
 * @throws ServerError `PLUGIN_NOT_FOUND`, `PLUGIN_COMPILE_FAILED`, `CONFIG_INVALID`.
 */
export async function createPlugin(options: CreatePluginOptions): Promise<Plugin> {
  const environment: EngineEnvironment = {
    clock: () => performance.now(),
    marker: UNMARKED,
    onGuestLine: options.onGuestLine ?? (() => {}),
  };
  const served = await createServedPlugin({
    plugin: pluginConfig(options),
    functions: [],
    environment,
    ...(options.hostFunctions === undefined ? {} : { hostFunctions: options.hostFunctions }),
  });
  return {
    hash: served.description.hash,
    functions: served.exportedFunctions,
    call: (functionName, input = '', callOptions = {}) =>
      call(served, functionName, input, callOptions),
    close: () => served.close(),
  };
}

function call(
  served: ServedPlugin,
  functionName: string,
  input: string | Uint8Array,
  { hostContext, signal }: CallOptions,
): Promise<PluginOutput> {
  if (!served.exportedFunctions.includes(functionName)) {
    const message = `no function "${functionName}" is exported`;
    return Promise.reject(new ServerError('FUNCTION_NOT_EXPORTED', message));
  }
  return new Promise((resolve, reject) => {
    const bytes = typeof input === 'string' ? Buffer.from(input) : input;
    const listener = {
      succeeded: (output: Uint8Array) => {
        signal?.removeEventListener('abort', abort);
        resolve(new PluginOutput(output as Uint8Array<ArrayBuffer>));
      },
      failed: (error: ServerError) => {
        signal?.removeEventListener('abort', abort);
        reject(error);
      },
    };
    const ticket = served.call(functionName, bytes, listener, hostContext);
    const abort = (): void => {
      ticket.cancel();
    };
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort);
  });
}

function pluginConfig(options: CreatePluginOptions): PluginConfig {
  const { wasm, name = 'plugin', hostFunctionsFile } = options;
  const given = Object.fromEntries(
    (['wasi', 'isolation', 'poolSize', 'execution', 'timeoutMs', 'config', 'allowedHosts'] as const)
      .filter((key) => options[key] !== undefined)
      .map((key) => [key, options[key]]),
  );
  return {
    ...PLUGIN_DEFAULTS,
    ...given,
    name,
    source: pluginSource(wasm),
    memory: { ...PLUGIN_DEFAULTS.memory, ...options.memory },
    queue: { ...PLUGIN_DEFAULTS.queue, ...options.queue },
    recycle: { ...PLUGIN_DEFAULTS.recycle, ...options.recycle },
    allowedPaths: options.allowedPaths === undefined ? null : absolutePaths(options.allowedPaths),
    hostFunctions: hostFunctionsFile === undefined ? null : path.resolve(hostFunctionsFile),
  };
}

function pluginSource(wasm: CreatePluginOptions['wasm']): PluginSource {
  if (typeof wasm === 'string') return { kind: 'wasm', path: path.resolve(wasm) };
  const manifest =
    wasm instanceof Uint8Array ? { wasm: [{ data: Buffer.from(wasm).toString('base64') }] } : wasm;
  return { kind: 'manifest', manifest, baseDir: process.cwd() };
}

function absolutePaths(allowed: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(allowed).map(([hostPath, guestPath]) => {
      const readOnly = hostPath.startsWith('ro:');
      const absolute = path.resolve(readOnly ? hostPath.slice(3) : hostPath);
      return [readOnly ? `ro:${absolute}` : absolute, guestPath];
    }),
  );
}
