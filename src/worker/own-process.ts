/** What this worker tells its siblings and its own admin listener, from the parts it is made of; joins plugins to metrics. */
import type { OwnProcess, PluginStatus } from '../admin/own-process.ts';
import type { Lifecycle } from '../lifecycle/state.ts';
import type { WorkerMetrics } from '../metrics/create-worker-metrics.ts';
import type { ServedPlugin } from '../plugin/served-plugin.ts';
import { readVersion } from '../version.ts';

export interface OwnProcessOptions {
  readonly slot: string;
  readonly lifecycle: Lifecycle;
  readonly plugins: ReadonlyMap<string, ServedPlugin>;
  readonly metrics: WorkerMetrics;
}

/** From here on every plugin is measured. */
export function createOwnProcess(options: OwnProcessOptions): OwnProcess {
  const { slot, lifecycle, metrics } = options;
  const version = readVersion();
  const startedAt = performance.now();
  const measured = [...options.plugins.values()].map((plugin) => {
    const observer = metrics.addPlugin(plugin.description, plugin);
    plugin.observe(observer);
    return { plugin, observer };
  });
  const pluginStatus = (): PluginStatus[] =>
    measured.map(({ plugin, observer }) => {
      const { name, hash, functions, isolation, execution } = plugin.description;
      return {
        name,
        hash,
        functions,
        isolation,
        execution,
        waiters: plugin.waiters(),
        memoryBytes: plugin.memoryBytes(),
        calls: observer.outcomes(),
      };
    });
  return {
    status: () => ({
      slot,
      pid: process.pid,
      state: lifecycle.state,
      uptimeSeconds: (performance.now() - startedAt) / 1000,
      version,
      nodeVersion: process.versions.node,
      plugins: pluginStatus(),
    }),
    metrics: () => metrics.text(),
  };
}
