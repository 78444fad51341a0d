/** What this worker tells its siblings and its own admin listener, from the parts it is made of; joins plugins to metrics. */
import { formatLiveReport } from '../admin/live/live-report.ts';
import type { OwnProcess, PluginStatus, WorkerStatus } from '../admin/own-process.ts';
import type { Lifecycle } from '../lifecycle/state.ts';
import type { WorkerMetrics } from '../metrics/create-worker-metrics.ts';
import type { ServedPlugin } from '../plugin/served-plugin.ts';
import { readVersion } from '../version.ts';
import type { LifeRecord } from './life-record.ts';

export interface OwnProcessOptions {
  readonly slot: string;
  readonly lifecycle: Lifecycle;
  readonly plugins: ReadonlyMap<string, ServedPlugin>;
  readonly metrics: WorkerMetrics;
  readonly life: LifeRecord;
}

/** From here on every plugin is measured. */
export function createOwnProcess(options: OwnProcessOptions): OwnProcess {
  const { slot, lifecycle, metrics, life } = options;
  const version = readVersion();
  const startedAt = performance.now();
  const measured = [...options.plugins.values()].map((plugin) => {
    const observer = metrics.addPlugin(plugin.description, plugin);
    plugin.observe(observer);
    return { plugin, observer };
  });
  const pluginStatus = (): PluginStatus[] =>
    measured.map(({ plugin, observer }) => {
      const { name, hash, version, functions, isolation, execution } = plugin.description;
      const { timeoutMs, maxPages, maxWaiters, waitMs, instances } = plugin.description;
      return {
        name,
        hash,
        functions,
        isolation,
        execution,
        version,
        limits: { timeoutMs, maxPages, maxWaiters, waitMs, instances },
        waiters: plugin.waiters(),
        memoryBytes: plugin.memoryBytes(),
        calls: observer.outcomes(),
      };
    });
  const status = (): WorkerStatus => ({
    slot,
    pid: process.pid,
    state: lifecycle.state,
    uptimeSeconds: (performance.now() - startedAt) / 1000,
    version,
    nodeVersion: process.versions.node,
    plugins: pluginStatus(),
  });
  return {
    status,
    metrics: () => metrics.text(),
    live: (since) => formatLiveReport(status(), life.events, metrics.history.since(since)),
  };
}
