/** The public server with real plugins on a real port, and everything that it tells its observers. */
import type { AddressInfo } from 'node:net';
import {
  createPublicServer,
  type PublicServer,
  type PublicServerOptions,
} from '../../src/http/create-public-server.ts';
import type { RequestRecord } from '../../src/http/reply-writer.ts';
import {
  createWorkerMetrics,
  type WorkerMetrics,
} from '../../src/metrics/create-worker-metrics.ts';
import type { Outcome } from '../../src/plugin/observer.ts';
import type { ServedPlugin } from '../../src/plugin/served-plugin.ts';
import { closePlugins, createPlugins, QUIET_ENVIRONMENT } from '../../src/worker/create-plugins.ts';
import { loadFile } from '../config/fixture.ts';

export interface PublicFixture extends PublicServer {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly metrics: WorkerMetrics;
  /** One record for each answered request, in the order of the answers. */
  readonly records: RequestRecord[];
  /** Outcomes as the plugins' observers heard them, in order. */
  readonly outcomes: Outcome[];
  /** How many requests held a permit so far. */
  readonly acquired: () => number;
  plugin(name: string): ServedPlugin;
  close(): Promise<void>;
}

/** `file`: what stands in plugind.json. `changes` are laid over the server's options. */
export async function startPublicServer(
  file: unknown,
  changes: Partial<PublicServerOptions> = {},
): Promise<PublicFixture> {
  const config = loadFile(file);
  const plugins = await createPlugins(config, QUIET_ENVIRONMENT);
  const metrics = createWorkerMetrics({
    worker: '0',
    version: '0.0.0',
    nodeVersion: process.versions.node,
    restarts: 0,
    hangs: 0,
    droppedLogLines: () => 0,
    routes: config.routes.map((route) => route.path),
  });
  const records: RequestRecord[] = [];
  const outcomes: Outcome[] = [];
  let acquired = 0;
  for (const plugin of plugins.values()) {
    const measured = metrics.addPlugin(plugin.description, plugin);
    plugin.observe({
      acquired: (seconds) => {
        acquired++;
        measured.acquired(seconds);
      },
      released: measured.released,
      refused: measured.refused,
      limited: measured.limited,
      replaced: measured.replaced,
      called: (functionName, outcome) => {
        outcomes.push(outcome);
        measured.called(functionName, outcome);
      },
    });
  }
  const server = createPublicServer({
    http: config.http,
    routes: config.routes,
    plugins,
    requestIdPrefix: 'test-',
    observe: metrics.observeRequest,
    logRequest: (record) => records.push(record),
    isDraining: () => false,
    onInternalError: (error) => {
      throw error;
    },
    onPluginFailure: () => {},
    addFurtherRoutes: null,
    clock: QUIET_ENVIRONMENT.clock,
    ...changes,
  });
  metrics.addListener(server.gauges);
  await server.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.app.server.address() as AddressInfo;
  return {
    ...server,
    port,
    url: `http://127.0.0.1:${port}`,
    metrics,
    records,
    outcomes,
    acquired: () => acquired,
    plugin: (name) => plugins.get(name) as ServedPlugin,
    close: async () => {
      server.app.server.closeAllConnections();
      await server.app.close();
      metrics.close();
      await closePlugins(plugins.values());
    },
  };
}
