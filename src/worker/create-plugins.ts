/** Makes every configured plugin, or none: a worker's start and `plugind check` both stand on it. */
import type { PluginHostConfig } from '../config/types.ts';
import type { Clock } from '../lock/lock.ts';
import type { CallMarker } from '../plugin/call-marker.ts';
import { createServedPlugin, type ServedPlugin } from '../plugin/served-plugin.ts';

/** @throws ServerError of the first plugin that fails; those made before it are closed. */
export async function createPlugins(
  config: PluginHostConfig,
  clock: Clock,
  marker?: CallMarker,
): Promise<Map<string, ServedPlugin>> {
  const plugins = new Map<string, ServedPlugin>();
  try {
    for (const plugin of config.plugins) {
      const routes = config.routes.filter((route) => route.plugin === plugin.name);
      const functions = [...new Set(routes.map((route) => route.function))];
      plugins.set(
        plugin.name,
        await createServedPlugin({
          plugin,
          functions,
          clock,
          ...(marker && { marker }),
        }),
      );
    }
  } catch (error) {
    await closePlugins(plugins.values());
    throw error;
  }
  return plugins;
}

export async function closePlugins(plugins: Iterable<ServedPlugin>): Promise<void> {
  await Promise.allSettled([...plugins].map((plugin) => plugin.close()));
}
