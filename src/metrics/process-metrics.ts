/**
 * What a process tells about itself: prom-client's default metrics, the use of its event loop, and
 * which build it runs.
 */
import { performance } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, type Registry } from 'prom-client';

export interface ProcessMetricsOptions {
  readonly registry: Registry;
  /** Of plugind. */
  readonly version: string;
  /** Of Node, without the `v`. */
  readonly nodeVersion: string;
  /** How often pm2 restarted this slot before this process; null where our own primary tells. */
  readonly restarts: number | null;
  /** How often a worker of this slot hung before this process. */
  readonly hangs: number;
  /** Log lines of this process that could not be written, read at scrape time. */
  readonly droppedLogLines: () => number;
}

/** Gauges that are named as counters; `promtool check metrics` refuses them. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];
const UTILIZATION_WINDOW_MS = 1000;

/** Registers them. The result stops what runs for them. */
export function addProcessMetrics(options: ProcessMetricsOptions): () => void {
  const { registry, version, nodeVersion, restarts, hangs, droppedLogLines } = options;
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  new Gauge({
    name: 'plugind_build_info',
    help: 'Always 1; the labels say which plugind and which Node run.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: nodeVersion }, 1);
  if (restarts !== null) {
    new Counter({
      name: 'plugind_worker_restarts_total',
      help: 'Times that the worker of a slot was restarted, by how the one before ended.',
      labelNames: ['reason'],
      registers,
      // Reloads and crashes alike: pm2 does not tell which.
    }).inc({ reason: 'pm2' }, restarts);
  }
  new Counter({
    name: 'plugind_worker_hangs_total',
    help: 'Times that a worker of this slot hung and its watchdog killed it.',
    registers,
  }).inc(hangs);
  new Counter({
    name: 'plugind_log_dropped_total',
    help: 'Log lines that could not be written: disk full, or the reader gone or standing still.',
    registers,
    collect() {
      this.reset();
      this.inc(droppedLogLines());
    },
  });
  return addEventLoopMetrics(registry);
}

/**
 * Neither depends on who scrapes when: the gauge is of the last whole second, which a timer takes
 * (taken at each scrape, two scrapers would halve each other's interval); the counter loses
 * nothing between two scrapes, and its rate is the utilisation.
 */
function addEventLoopMetrics(registry: Registry): () => void {
  const registers = [registry];
  let last = performance.eventLoopUtilization();
  let utilization = last.utilization;
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    utilization = performance.eventLoopUtilization(now, last).utilization;
    last = now;
  }, UTILIZATION_WINDOW_MS);
  timer.unref();
  new Gauge({
    name: 'nodejs_eventloop_utilization',
    help: 'Share of the last second that the event loop was busy, 0 to 1.',
    registers,
    collect() {
      this.set(utilization);
    },
  });
  new Counter({
    name: 'nodejs_eventloop_active_seconds_total',
    help: 'Time that the event loop was busy since its start, in seconds.',
    registers,
    collect() {
      this.reset();
      this.inc(performance.eventLoopUtilization().active / 1000);
    },
  });
  return () => clearInterval(timer);
}
