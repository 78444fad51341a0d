/**
 * Turns the file's shape into the configuration that the rest of the code sees: flags and variables
 * laid over it, defaults filled in, paths absolute. Refuses nothing; the rules look at the result.
 */
import { resolve } from 'node:path';
import type { ConfigFile, PluginEntry, RouteEntry } from './config-file.ts';
import { DEFAULTS, PLUGIN_DEFAULTS, ROUTE_DEFAULTS } from './defaults.ts';
import type { Overrides } from './settings.ts';
import type { PluginConfig, PluginHostConfig, PluginSource, RouteConfig } from './types.ts';

/** Before a host directory of `allowedPaths`: for reading only. */
const READ_ONLY = 'ro:';

export interface CompleteOptions {
  readonly origin: string;
  /** Absolute; paths of the file are relative to it. */
  readonly baseDir: string;
  readonly overrides: Overrides;
  /** What `workers: "auto"` is. */
  readonly autoWorkers: () => number;
}

export function completeConfig(file: ConfigFile, options: CompleteOptions): PluginHostConfig {
  const { origin, baseDir, overrides } = options;
  const { host, port, adminHost, adminPort } = overrides;
  const workers = overrides.workers ?? file.workers ?? DEFAULTS.workers;
  return {
    origin,
    listen: { ...DEFAULTS.listen, ...file.listen, ...said({ host, port }) },
    admin: { ...DEFAULTS.admin, ...file.admin, ...said({ host: adminHost, port: adminPort }) },
    workers: workers === 'auto' ? options.autoWorkers() : workers,
    http: { ...DEFAULTS.http, ...file.http },
    shutdown: { ...DEFAULTS.shutdown, ...file.shutdown },
    watchdogMs: file.watchdogMs ?? DEFAULTS.watchdogMs,
    watch: file.watch ?? DEFAULTS.watch,
    log: { ...DEFAULTS.log, ...file.log },
    plugins: Object.entries(file.plugins).map(([name, entry]) =>
      completePlugin(name, entry, baseDir),
    ),
    routes: file.routes.map(completeRoute),
  };
}

/** The absolute form of a key of `allowedPaths`. */
export function absoluteHostPath(path: string, baseDir: string): string {
  if (!path.startsWith(READ_ONLY)) return resolve(baseDir, path);
  return READ_ONLY + resolve(baseDir, path.slice(READ_ONLY.length));
}

/** Leaves out what is undefined, so that spreading it hides nothing. */
function said<T extends object>(values: T): { [Key in keyof T]?: NonNullable<T[Key]> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof T]?: NonNullable<T[Key]> };
}

function completePlugin(name: string, entry: PluginEntry, baseDir: string): PluginConfig {
  const { wasm, manifest, memory, queue, recycle, allowedPaths, hostFunctions, ...rest } = entry;
  return {
    ...PLUGIN_DEFAULTS,
    ...rest,
    name,
    source: completeSource(wasm, manifest, baseDir),
    memory: { ...PLUGIN_DEFAULTS.memory, ...memory },
    queue: { ...PLUGIN_DEFAULTS.queue, ...queue },
    recycle: { ...PLUGIN_DEFAULTS.recycle, ...recycle },
    allowedPaths:
      allowedPaths === undefined
        ? PLUGIN_DEFAULTS.allowedPaths
        : Object.fromEntries(
            Object.entries(allowedPaths).map(([host, guest]) => [
              absoluteHostPath(host, baseDir),
              guest,
            ]),
          ),
    hostFunctions:
      typeof hostFunctions === 'string'
        ? resolve(baseDir, hostFunctions)
        : PLUGIN_DEFAULTS.hostFunctions,
  };
}

function completeSource(
  wasm: PluginEntry['wasm'],
  manifest: PluginEntry['manifest'],
  baseDir: string,
): PluginSource {
  if (wasm !== undefined) return { kind: 'wasm', path: resolve(baseDir, wasm) };
  if (typeof manifest === 'string')
    return { kind: 'manifest-file', path: resolve(baseDir, manifest) };
  // Without either, the schema has refused the file and this result is only read by the rules.
  return { kind: 'manifest', manifest: manifest ?? {}, baseDir };
}

function completeRoute(entry: RouteEntry): RouteConfig {
  const { method, ...rest } = entry;
  const methods = typeof method === 'string' ? [method] : (method ?? ROUTE_DEFAULTS.methods);
  return { ...ROUTE_DEFAULTS, ...rest, methods };
}
