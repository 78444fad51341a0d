/** Makes every configured plugin, or none: a worker's start and `plugind check` both stand on it. */
import type { PluginHostConfig } from '../config/types.ts';
import { UNMARKED } from '../plugin/call-marker.ts';
import type { EngineEnvironment } from '../plugin/engine-environment.ts';
import { createServedPlugin, type ServedPlugin } from '../plugin/served-plugin.ts';

/** For checks, which serve nobody: what guests write while they are initialised is not shown. */
export const QUIET_ENVIRONMENT: EngineEnvironment = {
  clock: () => performance.now(),
  marker: UNMARKED,
  onGuestLine: () => {},
};

/** @throws ServerError of the first plugin that fails; those made before it are closed. */
export async function createPlugins(
  config: PluginHostConfig,
  environment: EngineEnvironment,
): Promise<Map<string, ServedPlugin>> {
  const plugins = new Map<string, ServedPlugin>();
  try {
    for (const plugin of config.plugins) {
      const routes = config.routes.filter((route) => route.plugin === plugin.name);
      const functions = [...new Set(routes.map((route) => route.function))];
      plugins.set(plugin.name, await createServedPlugin({ plugin, functions, environment }));
    }
  } catch (error) {
    await closePlugins(plugins.values());
    throw error;
  }
  return plugins;
}

/** Resolves to whether they were closed in time. They go on closing in any case. */
export async function closePluginsWithin(
  limitMs: number,
  plugins: Iterable<ServedPlugin>,
): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const closed = closePlugins(plugins).then(() => true);
  const isClosed = await Promise.race([closed, late]);
  clearTimeout(timer);
  return isClosed;
}

export async function closePlugins(plugins: Iterable<ServedPlugin>): Promise<void> {
  await Promise.allSettled([...plugins].map((plugin) => plugin.close()));
}
