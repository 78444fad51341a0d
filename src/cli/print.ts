/** What the command line says to a person: the banner of `serve` and the tables of `check`. */
import type { PluginConfig, PluginHostConfig, RouteConfig } from '../config/types.ts';
import type { PluginDescription } from '../plugin/observer.ts';

const SHORT_HASH = 12;

/** Every URL, the number of workers, and each plugin with its hash. */
export function banner(config: PluginHostConfig, plugins: readonly PluginDescription[]): string {
  const { listen, admin, workers } = config;
  const lines = [
    `plugind serves ${origin(listen.host, listen.port)} with ${workers} ${workers === 1 ? 'worker' : 'workers'} (${config.origin})`,
    ...config.routes.map((route) => `  ${describeRoute(route)}`),
    ...plugins.map(({ name, hash }) => `  plugin ${name}  sha256 ${hash.slice(0, SHORT_HASH)}`),
    `  metrics  ${origin(admin.host, admin.port)}/metrics`,
    `  status   ${origin(admin.host, admin.port)}/status`,
  ];
  return lines.join('\n');
}

/** What `plugind check` found: routes, then each plugin with its limits. */
export function checkReport(
  config: PluginHostConfig,
  plugins: readonly PluginDescription[],
): string {
  const lines = [`configuration: ${config.origin}`, 'routes:'];
  for (const route of config.routes) lines.push(`  ${describeRoute(route)}`);
  lines.push('plugins:');
  for (const description of plugins) {
    const plugin = config.plugins.find(({ name }) => name === description.name) as PluginConfig;
    lines.push(`  ${plugin.name}  sha256 ${description.hash}`, ...describeLimits(plugin));
  }
  const { http, shutdown } = config;
  lines.push(
    `http: body ${http.bodyLimitBytes} bytes, head ${http.headersTimeoutMs} ms, request ${http.requestTimeoutMs} ms, keep-alive ${http.keepAliveTimeoutMs} ms, ${http.maxConnections} connections a worker`,
    `shutdown: delay ${shutdown.delayMs} ms, drain ${shutdown.drainMs} ms`,
    `workers: ${config.workers}`,
  );
  return lines.join('\n');
}

function describeRoute(route: RouteConfig): string {
  const { methods, path, plugin, mode } = route;
  return `${methods.join(',')} ${path} -> ${plugin}.${route.function} (${mode})`;
}

function describeLimits(plugin: PluginConfig): string[] {
  return [
    `    source     ${plugin.source.kind === 'manifest' ? 'inline manifest' : plugin.source.path}`,
    `    isolation  ${plugin.isolation}, execution ${plugin.execution}`,
    `    queue      ${plugin.queue.max} waiters a worker, ${plugin.queue.waitMs} ms`,
  ];
}

function origin(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
