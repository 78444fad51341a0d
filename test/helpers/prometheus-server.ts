/** Debian's Prometheus on a port of its own, in a temporary folder, scraping every second. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort } from './pm2-process.ts';
import { waitFor } from './wait-for.ts';

export interface PrometheusOptions {
  /** Job -> the address that it scrapes, `HOST:PORT`. */
  readonly jobs: Readonly<Record<string, string>>;
  readonly ruleFiles: readonly string[];
}

/** One series of an answer. Values are text, as Prometheus writes them. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: readonly string[];
}

export interface PrometheusServer {
  /** Every second of the last so many. @throws Error with Prometheus' own words. */
  queryRange(expression: string, seconds: number): Promise<Series[]>;
  /** As it is now. */
  query(expression: string): Promise<Series[]>;
  /** Every metric that was seen since the start, scraped or recorded. */
  metricNames(): Promise<string[]>;
  /** Why rules could not be evaluated; waits until each has been. */
  ruleErrors(): Promise<string[]>;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: {
    readonly result: readonly {
      readonly metric: Record<string, string>;
      readonly values?: readonly [number, string][];
      readonly value?: [number, string];
    }[];
  };
}

export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusServer> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'prometheus-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: options.ruleFiles,
    scrape_configs: Object.entries(options.jobs).map(([job, target]) => ({
      job_name: job,
      static_configs: [{ targets: [target] }],
    })),
  };
  // JSON is YAML.
  writeFileSync(path.join(dir, 'prometheus.yml'), JSON.stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${path.join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${path.join(dir, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  await waitFor('Prometheus to be ready', async () => {
    if (child.exitCode !== null) throw new Error(`prometheus exited ${child.exitCode}: ${log}`);
    return (await fetch(`http://${address}/-/ready`).catch(() => null))?.ok;
  });
  const ask = (name: string, parameters: Record<string, string>): Promise<Series[]> =>
    askApi(`http://${address}/api/v1/${name}`, parameters);
  return {
    queryRange: (expression, seconds) => {
      const end = Date.now() / 1000;
      const range = { start: String(end - seconds), end: String(end), step: '1' };
      return ask('query_range', { query: expression, ...range });
    },
    query: (expression) => ask('query', { query: expression }),
    metricNames: async () => {
      const reply = await fetch(`http://${address}/api/v1/label/__name__/values`);
      return ((await reply.json()) as { data: string[] }).data;
    },
    ruleErrors: () => waitFor('every rule to be evaluated', () => readRuleErrors(address)),
    stop: () => stop(child, dir),
  };
}

async function askApi(url: string, parameters: Record<string, string>): Promise<Series[]> {
  const reply = await fetch(url, { method: 'POST', body: new URLSearchParams(parameters) });
  const answer = (await reply.json()) as Answer;
  if (answer.status !== 'success') throw new Error(`${answer.error}: ${parameters.query}`);
  return answer.data.result.map(({ metric, values, value }) => ({
    labels: metric,
    values: (values ?? (value === undefined ? [] : [value])).map(([, text]) => text),
  }));
}

/** Null while some rule was not evaluated yet. */
async function readRuleErrors(address: string): Promise<string[] | null> {
  const reply = await fetch(`http://${address}/api/v1/rules`);
  const { data } = (await reply.json()) as {
    data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
  };
  const rules = data.groups.flatMap((group) => group.rules);
  if (rules.some(({ health }) => health === 'unknown')) return null;
  return rules
    .filter(({ health }) => health !== 'ok')
    .map(({ name, lastError }) => `${name}: ${lastError}`);
}

async function stop(child: ChildProcess, dir: string): Promise<void> {
  if (child.exitCode === null) {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }
  rmSync(dir, { recursive: true, force: true });
}
