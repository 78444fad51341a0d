/**
 * A server with a configuration and a plugin file of the test's own, which the test changes while
 * it runs. It has a temporary folder of its own, so that `plugind reload` finds it and no other.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { askPrimary } from '../../src/admin/ask-primary.ts';
import type { ClusterStatus } from '../../src/admin/cluster-view.ts';
import type { WorkerStatus } from '../../src/admin/own-process.ts';
import { type PrimaryStatus, parsePrimaryStatus } from '../../src/admin/primary-status.ts';
import { fetchSoon } from './fetch-soon.ts';
import { type Load, type LoadOptions, startLoad } from './load-client.ts';
import { exampleWasm } from './paths.ts';
import { type ServerProcess, spawnCli, startServer } from './server-process.ts';
import { waitFor } from './wait-for.ts';

export interface Site {
  readonly server: ServerProcess;
  /** Where configuration and plugin file are. */
  readonly dir: string;
  readonly wasmFile: string;
  readonly configFile: string;
  /** Writes the configuration with these keys beside plugins and routes. */
  configure(changes: Readonly<Record<string, unknown>>): void;
  /** `plugind reload`. */
  reload(): Promise<{ code: number | null; stdout: string; stderr: string }>;
  status(): Promise<ClusterStatus>;
  primary(): Promise<PrimaryStatus>;
  /** Every worker that is ready, once there are exactly so many and no other. */
  ready(count: number): Promise<WorkerStatus[]>;
  /** Names in the run directory. */
  runFiles(): string[];
  /** Load on the public port, stopped with the test at the latest. */
  load(options?: Partial<LoadOptions>): Load;
  /** Idempotent; a test that fails leaves it to the end of the test. */
  stop(): Promise<number | null>;
}

export interface SiteOptions {
  readonly workers?: number;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** `t` ends what the test left running. */
export async function startSite(
  t: { after(end: () => Promise<void>): void },
  { workers = 2, config = {}, env = {} }: SiteOptions = {},
): Promise<Site> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'site-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  const wasmFile = path.join(dir, 'hello.wasm');
  const configFile = path.join(dir, 'plugind.json');
  const configure = (changes: Readonly<Record<string, unknown>>): void => {
    const plugins = { hello: { wasm: 'hello.wasm' } };
    const routes = [{ path: '/', plugin: 'hello', function: 'hello' }];
    writeFileSync(configFile, JSON.stringify({ workers, plugins, routes, ...config, ...changes }));
  };
  writeFileSync(wasmFile, helloVersion(0));
  configure({});
  // Short, since sockets are in it.
  const tmp = mkdtempSync(path.join(os.tmpdir(), 'tmp-'));
  process.once('exit', () => rmSync(tmp, { recursive: true, force: true }));
  const environment = { ...env, TMPDIR: tmp };
  const server = await startServer({ args: ['--config', configFile], env: environment });
  const status = async (): Promise<ClusterStatus> =>
    (await (await fetchSoon(`${server.adminUrl}/status`)).json()) as ClusterStatus;
  const runDir = (): string => path.join(tmp, readdirSync(tmp)[0] ?? '');
  const loads: Load[] = [];
  let stopped: Promise<number | null> | null = null;
  const stop = (): Promise<number | null> => {
    stopped ??= server.stop();
    return stopped;
  };
  t.after(async () => {
    await Promise.all([...loads.map((load) => load.stop()), stop()]);
  });
  return {
    server,
    dir,
    wasmFile,
    configFile,
    configure,
    reload: async () => {
      const { output, exited } = spawnCli({ args: ['reload'], env: { TMPDIR: tmp } });
      return { code: await exited, ...output };
    },
    status,
    primary: async () => {
      // Not by way of a worker, which a test may just have killed.
      const { body } = await askPrimary({ runDir: runDir(), method: 'GET', path: '/status' });
      return parsePrimaryStatus(body);
    },
    ready: (count) =>
      waitFor(`${count} workers to be ready`, async () => {
        // A worker that is killed while it answers is no answer.
        const all = (await status().catch(() => null))?.workers ?? [];
        const ready = all.filter((one): one is WorkerStatus => one.state === 'ready');
        return ready.length === count && all.length === count && ready;
      }),
    runFiles: () => readdirSync(runDir()),
    load: (options = {}) => {
      const load = startLoad({ port: server.port, ...options });
      loads.push(load);
      return load;
    },
    stop,
  };
}

/** The hello plugin with other bytes: a custom section more. */
export function helloVersion(version: number): Buffer {
  const content = Buffer.from(`\x04test${version}`);
  const section = Buffer.concat([Buffer.from([0, content.length]), content]);
  return Buffer.concat([readFileSync(exampleWasm('hello')), section]);
}

/** Hashes of the plugin in all workers; one when they agree. */
export function hashesOf(workers: readonly WorkerStatus[]): string[] {
  return [...new Set(workers.map(({ plugins }) => plugins[0]?.hash ?? 'none'))];
}
