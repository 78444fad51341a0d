/**
 * The rules between keys: what no schema of single values can say. Each names both values.
 * They look at the filled configuration, so a value from a flag or a default counts like any other.
 */
import { isIP } from 'node:net';
import { ADMIN_PATHS } from './admin-paths.ts';
import { absoluteHostPath } from './complete-config.ts';
import type { ConfigFile } from './config-file.ts';
import { didYouMean } from './did-you-mean.ts';
import { isLoopback } from './loopback.ts';
import { type ConfigPath, formatPath, formatValue, type Problem } from './problem.ts';
import type { ListenConfig, PluginConfig, PluginHostConfig } from './types.ts';

/** Every broken rule. `file` is what `config` was made from, with its paths as they were written. */
export function brokenRules(
  config: PluginHostConfig,
  file: ConfigFile,
  baseDir: string,
): readonly Problem[] {
  return [
    ...adminRules(config),
    ...httpRules(config),
    ...config.plugins.flatMap((plugin) => [
      ...timeRules(config, plugin),
      ...pathRules(plugin, Object.keys(file.plugins[plugin.name]?.allowedPaths ?? {}), baseDir),
    ]),
    ...routeRules(config),
    ...adminPathRules(config),
  ];
}

function adminRules({ admin, listen }: PluginHostConfig): readonly Problem[] {
  const problems: Problem[] = [];
  if (admin.token === null && !isLoopback(admin.host)) {
    problems.push({
      path: ['admin', 'token'],
      text: `must be set where admin.host is not a loopback address (got null with admin.host ${formatValue(admin.host)})`,
      involves: [['admin', 'host']],
    });
  }
  if (admin.token === null && admin.onPublicPort) {
    problems.push({
      path: ['admin', 'token'],
      text: 'must be set where admin.onPublicPort is true (got null)',
      involves: [['admin', 'onPublicPort']],
    });
  }
  if (collide(listen, admin)) {
    problems.push({
      path: ['admin', 'port'],
      text: `must not be the public listener's (got ${formatAddress(admin)} and, for listen, ${formatAddress(listen)})`,
      involves: [
        ['admin', 'host'],
        ['listen', 'host'],
        ['listen', 'port'],
      ],
    });
  }
  return problems;
}

/** Whether two listeners cannot both bind. */
function collide(one: ListenConfig, other: ListenConfig): boolean {
  if (one.port === 0 || one.port !== other.port) return false;
  const [a, b] = [one.host.toLowerCase(), other.host.toLowerCase()];
  if (a === b || covers(a, b) || covers(b, a)) return true;
  return isLoopback(a) && isLoopback(b) && (a === 'localhost' || b === 'localhost');
}

/** `::` takes IPv4 connections as well, `0.0.0.0` no IPv6 ones. */
function covers(wide: string, host: string): boolean {
  return wide === '::' || (wide === '0.0.0.0' && isIP(host) !== 6);
}

function formatAddress({ host, port }: ListenConfig): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

function httpRules({ http }: PluginHostConfig): readonly Problem[] {
  // Node refuses to create such a server.
  if (http.headersTimeoutMs <= http.requestTimeoutMs) return [];
  return [
    {
      path: ['http', 'headersTimeoutMs'],
      text: `must not be more than http.requestTimeoutMs (got ${http.headersTimeoutMs} and ${http.requestTimeoutMs})`,
      involves: [['http', 'requestTimeoutMs']],
    },
  ];
}

function timeRules(config: PluginHostConfig, plugin: PluginConfig): readonly Problem[] {
  const { watchdogMs, shutdown, http } = config;
  const { timeoutMs, queue, execution } = plugin;
  const path: ConfigPath = ['plugins', plugin.name, 'timeoutMs'];
  const problems: Problem[] = [];
  if (execution === 'inline' && timeoutMs >= watchdogMs) {
    problems.push({
      path,
      text: `must be less than watchdogMs, else the worker is killed before the call ends (got ${timeoutMs} and ${watchdogMs})`,
      involves: [['watchdogMs'], ['plugins', plugin.name, 'execution']],
    });
  }
  if (timeoutMs + queue.waitMs > shutdown.drainMs) {
    problems.push({
      path,
      text: `plus queue.waitMs must not be more than shutdown.drainMs, else a drain cuts requests off (got ${timeoutMs} + ${queue.waitMs} and ${shutdown.drainMs})`,
      involves: [
        ['plugins', plugin.name, 'queue', 'waitMs'],
        ['shutdown', 'drainMs'],
      ],
    });
  }
  // A drain's last request comes on a connection that was idle so long. It is not held to queue.waitMs
  // as well: by then nobody new has come for that time, and the queue is what is left of it.
  if (timeoutMs + http.keepAliveTimeoutMs > shutdown.drainMs) {
    problems.push({
      path,
      text: `plus http.keepAliveTimeoutMs must not be more than shutdown.drainMs, else a drain cuts off a request that comes on a kept connection (got ${timeoutMs} + ${http.keepAliveTimeoutMs} and ${shutdown.drainMs})`,
      involves: [
        ['http', 'keepAliveTimeoutMs'],
        ['shutdown', 'drainMs'],
      ],
    });
  }
  return problems;
}

function pathRules(
  plugin: PluginConfig,
  hostPaths: readonly string[],
  baseDir: string,
): readonly Problem[] {
  const problems: Problem[] = [];
  const path: ConfigPath = ['plugins', plugin.name, 'allowedPaths'];
  if (hostPaths.length > 0 && !plugin.wasi) {
    problems.push({
      path,
      text: `needs wasi true: without WASI a plugin has no files (got ${hostPaths.length} entries and wasi false)`,
      involves: [['plugins', plugin.name, 'wasi']],
    });
  }
  const byGuestPath = new Map<string, string>();
  for (const host of hostPaths) {
    // One directory written in two ways has only one guest path left, so it is found here too.
    const guest = plugin.allowedPaths?.[absoluteHostPath(host, baseDir)] ?? '';
    const twin = byGuestPath.get(guest);
    if (twin !== undefined) {
      problems.push({
        path: [...path, host],
        text: `must not name the same directory or guest path as ${formatValue(twin)} (got ${formatValue(guest)})`,
        involves: [[...path, twin]],
      });
    }
    byGuestPath.set(guest, host);
  }
  return problems;
}

function routeRules({ plugins, routes }: PluginHostConfig): readonly Problem[] {
  const problems: Problem[] = [];
  const names = new Set(plugins.map((plugin) => plugin.name));
  const taken = new Map<string, number>();
  for (const [index, route] of routes.entries()) {
    if (!names.has(route.plugin)) {
      const hint = didYouMean(route.plugin, names) || `; there are: ${[...names].join(', ')}`;
      problems.push({
        path: ['routes', index, 'plugin'],
        text: `must be a key of plugins (got ${formatValue(route.plugin)})${hint}`,
        involves: [['plugins', route.plugin]],
      });
    }
    for (const method of route.methods) {
      const shape = `${method} ${shapeOf(route.path)}`;
      const twin = taken.get(shape);
      if (twin === undefined) {
        taken.set(shape, index);
        continue;
      }
      const twinPath: ConfigPath = ['routes', twin, 'path'];
      problems.push({
        path: ['routes', index, 'path'],
        text: `must not match the same ${method} requests as ${formatPath(twinPath)} (got ${formatValue(route.path)} and ${formatValue(routes[twin]?.path)})`,
        involves: [twinPath, ['routes', index, 'method'], ['routes', twin, 'method']],
      });
      break;
    }
  }
  return problems;
}

/** A wildcard or parameter that also matches is no clash: to the router the exact path comes first. */
function adminPathRules({ admin, routes }: PluginHostConfig): readonly Problem[] {
  if (!admin.onPublicPort) return [];
  const problems: Problem[] = [];
  for (const [index, { path, methods }] of routes.entries()) {
    const method = ADMIN_PATHS[path]?.find((one) => methods.includes(one));
    if (method === undefined) continue;
    problems.push({
      path: ['routes', index, 'path'],
      text: `must not be an admin path where admin.onPublicPort is true (got ${method} ${formatValue(path)})`,
      involves: [
        ['admin', 'onPublicPort'],
        ['routes', index, 'method'],
      ],
    });
  }
  return problems;
}

/** A path with the names of its parameters taken away; `::` is a plain colon to the router. */
function shapeOf(path: string): string {
  return path.replace(/::|:[^/.(-]*/g, (part) => (part === '::' ? part : ':'));
}
