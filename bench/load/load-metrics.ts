/**
 * The client's own /metrics, which the load-test dashboard lays over the server's. The figures are those of the
 * threads' memory, read at scrape time, so that a request costs nothing more for it.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, Gauge, type Metric, Registry } from 'prom-client';
import { LATENCY_BOUNDS, OUTCOMES } from './live-counters.ts';
import type { LiveLoad } from './run-load.ts';

export interface LoadMetricsOptions {
  /** On 127.0.0.1; 0: any free one. */
  readonly port: number;
  /** One run of the bench: the label that tells runs apart. */
  readonly testid: string;
}

export interface LoadMetrics {
  /** `http://127.0.0.1:PORT/metrics`. */
  readonly url: string;
  /** From now on with this load, under this label; those of earlier ones stay. */
  watch(live: LiveLoad, scenario: string): void;
  close(): Promise<void>;
}

interface Watched {
  readonly live: LiveLoad;
  readonly scenario: string;
}

/** Rejects with the system's error when the port is taken. */
export async function startLoadMetrics({ port, testid }: LoadMetricsOptions): Promise<LoadMetrics> {
  const watched: Watched[] = [];
  const registry = createRegistry(testid, watched);
  const server = createServer(async (request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    const text = await registry.metrics();
    response.writeHead(200, { 'content-type': registry.contentType }).end(text);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  // A load that ends is not kept alive by its own figures.
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`,
    watch: (live, scenario) => void watched.push({ live, scenario }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function createRegistry(testid: string, watched: readonly Watched[]): Registry {
  const registry = new Registry();
  const registers = [registry];
  const labelNames = ['testid', 'scenario'] as const;
  new Counter({
    name: 'plugind_load_requests_total',
    help: 'Requests that ended, by how: ok, wrong (another body), refused (503, 429), failed.',
    labelNames: [...labelNames, 'outcome'],
    registers,
    collect() {
      this.reset();
      for (const { live, scenario } of watched) {
        const { outcomes } = live.read();
        for (const outcome of OUTCOMES) this.inc({ testid, scenario, outcome }, outcomes[outcome]);
      }
    },
  });
  new Gauge({
    name: 'plugind_load_connections',
    help: 'Connections that are open.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const { live, scenario } of watched) {
        this.inc({ testid, scenario }, live.read().connections);
      }
    },
  });
  new Gauge({
    name: 'plugind_load_target_rate',
    help: 'Requests a second that are asked for; 0: as many as the server lets through.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const { live, scenario } of watched) {
        this.set({ testid, scenario }, live.targetRate ?? 0);
      }
    },
  });
  registry.registerMetric(durations(testid, watched));
  return registry;
}

/** A histogram that was counted elsewhere; prom-client's own can only be fed one by one. */
function durations(testid: string, watched: readonly Watched[]): Metric {
  const name = 'plugind_load_request_duration_seconds';
  const help = 'From the moment a request was due to the end of its right answer.';
  const description = { name, help, type: 'histogram', aggregator: 'sum' } as const;
  const samples = (): object[] =>
    [...new Set(watched.map(({ scenario }) => scenario))].flatMap((scenario) => {
      const figures = watched
        .filter((one) => one.scenario === scenario)
        .map((one) => one.live.read());
      const labels = { testid, scenario };
      let total = 0;
      const buckets = [...LATENCY_BOUNDS, '+Inf'].map((le, index) => {
        for (const { buckets: counts } of figures) total += counts[index] ?? 0;
        return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total };
      });
      const sum = figures.reduce((seconds, { sumSeconds }) => seconds + sumSeconds, 0);
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: total },
      ];
    });
  // The type asks for prom-client's own classes; its registry uses these members only.
  const metric = {
    ...description,
    get: () => Promise.resolve({ ...description, values: samples() }),
    reset: () => {},
  };
  return metric as unknown as Metric;
}
