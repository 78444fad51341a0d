/**
 * What all metrics cost a request: one server under load, told to measure and not to measure in
 * slices of 25 ms, so that both meet the same code, connections and noise. Beside it, all observer
 * calls of one request in a loop, without HTTP and its noise. Needs `wrk`.
 * Usage: node --import tsx bench/metrics-cost.ts [--seconds N]
 */
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULTS, PLUGIN_DEFAULTS, ROUTE_DEFAULTS } from '../src/config/defaults.ts';
import type { PluginConfig, RouteConfig } from '../src/config/types.ts';
import { createPublicServer } from '../src/http/create-public-server.ts';
import { createWorkerMetrics, type WorkerMetrics } from '../src/metrics/create-worker-metrics.ts';
import type { MeasuringObserver } from '../src/metrics/plugin-metrics.ts';
import { UNMARKED } from '../src/plugin/call-marker.ts';
import type { PluginObserver } from '../src/plugin/observer.ts';
import { createServedPlugin } from '../src/plugin/served-plugin.ts';
import { runWrk } from './load/run-wrk.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '30' } } });
const CONNECTIONS = 32;
const SLICE_MS = 25;
/** Compiled code and grown heaps first. */
const WARM_UP_SLICES = 80;
const LOOP_CALLS = 1_000_000;

const clock = (): number => performance.now();

const plugin: PluginConfig = {
  ...PLUGIN_DEFAULTS,
  name: 'hello',
  source: { kind: 'wasm', path: path.join(import.meta.dirname, '../examples/hello/hello.wasm') },
};
const route: RouteConfig = { ...ROUTE_DEFAULTS, path: '/', plugin: 'hello', function: 'hello' };

function createMetrics(): WorkerMetrics {
  return createWorkerMetrics({
    worker: '0',
    version: '0.0.0',
    nodeVersion: process.versions.node,
    restarts: null,
    hangs: 0,
    droppedLogLines: () => 0,
    routes: [route.path],
  });
}

const SILENT: PluginObserver = {
  acquired() {},
  released() {},
  refused() {},
  called() {},
  limited() {},
  replaced() {},
};

interface Measured {
  readonly port: number;
  /** Answered since the start. */
  requests(): number;
  /** From here on observers are told, or nobody. */
  measure(isOn: boolean): void;
}

async function start(metrics: WorkerMetrics): Promise<Measured> {
  const served = await createServedPlugin({
    plugin,
    functions: [route.function],
    environment: { clock, marker: UNMARKED, onGuestLine: () => {} },
  });
  const observer = metrics.addPlugin(served.description, served);
  let requests = 0;
  let measuring = true;
  const { app, gauges } = createPublicServer({
    http: DEFAULTS.http,
    routes: [route],
    plugins: new Map([[plugin.name, served]]),
    requestIdPrefix: '',
    observe: (method, path, status, seconds) => {
      requests++;
      if (measuring) metrics.observeRequest(method, path, status, seconds);
    },
    logRequest: null,
    onPluginFailure: () => {},
    onInternalError: (error) => console.error(error),
    addFurtherRoutes: null,
    isDraining: () => false,
    clock,
  });
  metrics.addListener(gauges);
  await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    port: (app.server.address() as AddressInfo).port,
    requests: () => requests,
    measure: (isOn) => {
      measuring = isOn;
      served.observe(isOn ? observer : SILENT);
    },
  };
}

/** CPU time of this process, in microseconds a request, of one slice. */
async function slice(server: Measured, isOn: boolean): Promise<number> {
  server.measure(isOn);
  const requests = server.requests();
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, SLICE_MS));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (server.requests() - requests);
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

/** Nanoseconds of everything that metrics are told of one request. */
function observersOfOneRequest(metrics: WorkerMetrics, observer: MeasuringObserver): number {
  const before = process.cpuUsage();
  for (let count = 0; count < LOOP_CALLS; count++) {
    const seconds = (count % 1000) / 1e5;
    observer.acquired(seconds);
    observer.released(seconds);
    observer.called('hello', 'ok');
    metrics.observeRequest('POST', '/', 200, seconds);
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / LOOP_CALLS;
}

const metrics = createMetrics();
const server = await start(metrics);
let isLoaded = true;
const load = runWrk({
  url: `http://127.0.0.1:${server.port}/`,
  method: 'POST',
  traffic: { kind: 'fixed', body: 'John Doe', answer: '{"message":"🦀 Hello John Doe"}' },
  connections: CONNECTIONS,
  threads: 1,
  pipelining: 1,
  keepAlive: true,
  rate: null,
  durationMs: Number(values.seconds) * 1000,
  warmUpMs: 0,
  requests: null,
  timeoutMs: 10_000,
}).then(({ ok, failed }) => {
  isLoaded = false;
  if (failed > 0) throw new Error(`${failed} of ${ok + failed} requests failed`);
});
for (let count = 0; count < WARM_UP_SLICES; count++) await slice(server, count % 2 === 0);
const costs: { on: number; off: number }[] = [];
while (isLoaded) {
  // Whoever comes second must not always be the same.
  const isOnFirst = costs.length % 2 === 0;
  const first = await slice(server, isOnFirst);
  const second = await slice(server, !isOnFirst);
  // A slice in which the machine served nobody says nothing.
  if (Number.isFinite(first + second) && isLoaded)
    costs.push(isOnFirst ? { on: first, off: second } : { on: second, off: first });
}
await load;
console.log(
  `Node ${process.version}, ${costs.length} pairs of ${SLICE_MS} ms, us of CPU a request`,
);
console.log(`metrics on:  median ${median(costs.map((cost) => cost.on)).toFixed(2)}`);
console.log(`metrics off: median ${median(costs.map((cost) => cost.off)).toFixed(2)}`);
const differences = costs.map((cost) => cost.on - cost.off).sort((a, b) => a - b);
const [low, high] = [0.25, 0.75].map((part) => differences[Math.floor(differences.length * part)]);
console.log(
  `difference within a pair: median ${median(differences).toFixed(2)} (quartiles ${low?.toFixed(2)}, ${high?.toFixed(2)})`,
);

const loop = createMetrics();
const observer = loop.addPlugin(
  { name: 'hello', hash: '', version: '', functions: ['hello'] },
  {
    waiters: () => 0,
    busySeconds: () => 0,
    memoryBytes: () => 0,
    instances: () => ({ starting: 0, ready: 1, poisoned: 0 }),
  },
);
const loops = Array.from({ length: 9 }, () => observersOfOneRequest(loop, observer));
console.log(`all observer calls of one request in a loop: ${median(loops).toFixed(0)} ns`);
loop.close();
metrics.close();
process.exit();
