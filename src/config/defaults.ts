/**
 * The only place of defaults: schema.ts shows them to editors, complete-config.ts fills them in,
 * and nothing below config/ has a default of its own.
 */
import { deepFreeze } from './deep-freeze.ts';
import type { PluginConfig, PluginHostConfig, RouteConfig } from './types.ts';

type TopLevelDefaults = Omit<PluginHostConfig, 'origin' | 'workers' | 'plugins' | 'routes'> & {
  readonly workers: number | 'auto';
};

/** Every key outside `plugins` and `routes`. */
export const DEFAULTS: TopLevelDefaults = deepFreeze<TopLevelDefaults>({
  listen: { host: '127.0.0.1', port: 8080 },
  admin: { host: '127.0.0.1', port: 9464, token: null, onPublicPort: false },
  workers: 'auto',
  http: {
    bodyLimitBytes: 1_048_576,
    headersTimeoutMs: 5_000,
    requestTimeoutMs: 10_000,
    sendTimeoutMs: 60_000,
    keepAliveTimeoutMs: 5_000,
    maxConnections: 10_000,
  },
  shutdown: { delayMs: 0, drainMs: 10_000 },
  watchdogMs: 5_000,
  watch: false,
  log: { level: 'info', requests: false },
});

/** What one entry of `plugins` gets. */
export const PLUGIN_DEFAULTS: Omit<PluginConfig, 'name' | 'source'> = deepFreeze<
  Omit<PluginConfig, 'name' | 'source'>
>({
  wasi: false,
  isolation: 'shared',
  poolSize: 2,
  execution: 'inline',
  timeoutMs: 1_000,
  memory: {
    maxPages: 1_024,
    maxVarBytes: 1_048_576,
    maxHttpResponseBytes: 1_048_576,
    maxOutputBytes: 8_388_608,
  },
  queue: { max: 1_000, waitMs: 5_000 },
  recycle: { calls: 0, pages: 0 },
  config: {},
  allowedHosts: null,
  allowedPaths: null,
  hostFunctions: null,
  probe: null,
});

/** What one entry of `routes` gets. */
export const ROUTE_DEFAULTS: Omit<RouteConfig, 'path' | 'plugin' | 'function'> = deepFreeze<
  Omit<RouteConfig, 'path' | 'plugin' | 'function'>
>({
  methods: ['POST'],
  mode: 'raw',
  contentType: 'text/plain; charset=utf-8',
  errorStatus: null,
  errorBody: 'problem',
});
