/** What the command line says to a person: the banner of `serve` and the tables of `check`. */
import type { PluginConfig, PluginHostConfig, RouteConfig } from '../config/types.ts';
import type { FreshWay } from '../plugin/choose-fresh-way.ts';
import type { PluginDescription } from '../plugin/observer.ts';
import type { ServedPlugin } from '../plugin/served-plugin.ts';

const SHORT_HASH = 12;

/** Every URL, the number of workers, and each plugin with its hash. */
export function banner(config: PluginHostConfig, plugins: readonly PluginDescription[]): string {
  const { listen, admin, workers } = config;
  const lines = [
    `plugind serves ${origin(listen.host, listen.port)} with ${workers} ${workers === 1 ? 'worker' : 'workers'} (${config.origin})`,
    ...config.routes.map((route) => `  ${describeRoute(route)}`),
    ...plugins.map(({ name, hash }) => `  plugin ${name}  sha256 ${hash.slice(0, SHORT_HASH)}`),
    `  live     ${origin(admin.host, admin.port)}/`,
    `  metrics  ${origin(admin.host, admin.port)}/metrics`,
    `  status   ${origin(admin.host, admin.port)}/status`,
  ];
  return lines.join('\n');
}

/** What `plugind check` found: routes, then each plugin with its limits and who enforces them. */
export function checkReport(config: PluginHostConfig, plugins: readonly ServedPlugin[]): string {
  const { http, shutdown } = config;
  return [
    `configuration: ${config.origin}`,
    'routes:',
    ...config.routes.map((route) => `  ${describeRoute(route)}`),
    'plugins:',
    ...plugins.flatMap((plugin) => describePlugin(config, plugin)),
    `http: body ${http.bodyLimitBytes} bytes, head ${http.headersTimeoutMs} ms, request ${http.requestTimeoutMs} ms, send ${http.sendTimeoutMs} ms, keep-alive ${http.keepAliveTimeoutMs} ms, ${http.maxConnections} connections a worker`,
    `shutdown: delay ${shutdown.delayMs} ms, drain ${shutdown.drainMs} ms`,
    `workers: ${config.workers}`,
  ].join('\n');
}

function describePlugin(config: PluginHostConfig, plugin: ServedPlugin): string[] {
  const { name, hash, isolation, freshWay, execution } = plugin.description;
  const { queue, recycle } = config.plugins.find((one) => one.name === name) as PluginConfig;
  const how = freshWay === null ? isolation : `${isolation}, by ${FRESH_WAYS[freshWay]}`;
  const rows = [
    { field: 'isolation', value: how, by: '' },
    { field: 'execution', value: `${execution}, ${plugin.executionReason}`, by: '' },
    { field: 'queue', value: `${queue.max} waiters a worker, ${queue.waitMs} ms`, by: 'lock' },
    { field: 'recycle', value: `${recycle.calls} calls, ${recycle.pages} pages`, by: 'pool' },
    ...plugin.fields.map(({ field, value, setBy, enforcedBy }) => ({
      field,
      value: `${value}, set by: ${setBy}`,
      by: enforcedBy,
    })),
  ];
  return [
    `  ${name}  sha256 ${hash}`,
    `    functions: ${plugin.exportedFunctions.join(', ')}`,
    ...rows.map(
      ({ field, value, by }) => `    ${field}: ${value}${by === '' ? '' : `; enforced by: ${by}`}`,
    ),
  ];
}

const FRESH_WAYS: Readonly<Record<FreshWay, string>> = {
  restore: 'restoring a snapshot',
  instantiate: 'a new instance',
};

function describeRoute(route: RouteConfig): string {
  const { methods, path, plugin, mode } = route;
  return `${methods.join(',')} ${path} -> ${plugin}.${route.function} (${mode})`;
}

function origin(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
