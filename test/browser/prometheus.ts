/** Debian's Prometheus, scraping one server each second into a folder of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort } from '../helpers/pm2-process.ts';

export interface Prometheus {
  /** How many there were in the last minute. */
  scrapes(): Promise<number>;
  /** The value now of an expression that gives one. */
  readonly query: (expression: string) => Promise<number>;
  /** Scraped values of one series, `metric{…}[5s]`, with the seconds of their scrapes. */
  samples(selector: string): Promise<[number, number][]>;
  stop(): Promise<void>;
}

export async function startPrometheus(adminUrl: string): Promise<Prometheus> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'plugind-prometheus-'));
  const port = await freePort();
  const file = path.join(dir, 'prometheus.yml');
  writeFileSync(
    file,
    `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: plugind
    static_configs: [{ targets: ['${new URL(adminUrl).host}'] }]
`,
  );
  const child = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${path.join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  const exited = once(child, 'exit');
  const ask = async <Result>(expression: string): Promise<Result[]> => {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
    const reply = (await (await fetch(url)).json()) as { data: { result: Result[] } };
    return reply.data.result;
  };
  const query = async (expression: string): Promise<number> => {
    const [first] = await ask<{ value: [number, string] }>(expression);
    return Number(first?.value[1]);
  };
  return {
    scrapes: () => query('count_over_time(up[1m])').catch(() => 0),
    query,
    samples: async (selector) => {
      const [first] = await ask<{ values: [number, string][] }>(selector);
      return (first?.values ?? []).map(([second, value]) => [second, Number(value)]);
    },
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
