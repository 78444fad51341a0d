/**
 * All metrics of one process in one registry of its own, with the label `worker` on every series,
 * so that the texts of several processes can be merged without summing anything.
 * Used by the composition in worker/; prom-client is imported in this folder only.
 */
import { Registry } from 'prom-client';
import { addListenerMetrics, type MeasuredListener } from './listener-metrics.ts';
import { LiveHistory } from './live-history.ts';
import { LiveSampler } from './live-sampler.ts';
import {
  type MeasuredGauges,
  type MeasuredPlugin,
  type MeasuringObserver,
  PluginMetrics,
} from './plugin-metrics.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { RequestDurations } from './request-durations.ts';

export interface WorkerMetricsOptions {
  /** The slot: label `worker`. */
  readonly worker: string;
  /** Version of plugind. */
  readonly version: string;
  /** Version of Node, without the `v`. */
  readonly nodeVersion: string;
  /** How often pm2 restarted this slot before this process; null where our own primary tells. */
  readonly restarts: number | null;
  /** How often a worker of this slot hung before this process. */
  readonly hangs: number;
  /** Log lines of this process that could not be written, read at scrape time. */
  readonly droppedLogLines: () => number;
  /** Paths of the configured routes; requests to any other are counted as `unmatched`. */
  readonly routes: readonly string[];
}

export interface WorkerMetrics {
  /** Counts one request. `route` is the path as configured. */
  observeRequest(method: string, route: string, statusCode: number, seconds: number): void;
  /** Measures the public listener from here on; there is one. */
  addListener(listener: MeasuredListener): void;
  /**
   * Measures a plugin from here on.
   * @throws ServerError `INTERNAL` when one of that name is measured already.
   */
  addPlugin(plugin: MeasuredPlugin, gauges: MeasuredGauges): MeasuringObserver;
  /** Everything, in Prometheus' text format 0.0.4. */
  text(): Promise<string>;
  /** The last quarter of an hour, a row a second. */
  readonly history: LiveHistory;
  /** Stops the timers. Idempotent. */
  close(): void;
}

export function createWorkerMetrics(options: WorkerMetricsOptions): WorkerMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ worker: options.worker });
  const requests = new RequestDurations(registry, options.routes);
  const plugins = new PluginMetrics(registry);
  const stop = addProcessMetrics({ ...options, registry });
  const history = new LiveHistory(plugins.columns);
  const sampler = new LiveSampler({ history, readings: () => plugins.readings() });
  sampler.start();
  return {
    observeRequest: (method, route, statusCode, seconds) =>
      requests.observe(method, route, statusCode, seconds),
    addListener: (listener) => addListenerMetrics(registry, listener),
    addPlugin: (plugin, gauges) => plugins.add(plugin, gauges),
    text: () => registry.metrics(),
    history,
    close: () => {
      stop();
      sampler.stop();
    },
  };
}
