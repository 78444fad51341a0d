/**
 * A scrape of 8 workers with 8 plugins each, one of them stopped, and what it takes of the event loop:
 * one worker's text, read as it arrives, and putting all of them together at the end. `promtool`, where there is one, checks the text.
 * Usage: node --import tsx bench/scrape.ts [--scrapes N]
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { parseExposition } from '../src/metrics/exposition.ts';
import { mergeMetrics } from '../src/metrics/merge-metrics.ts';

const WORKERS = 8;
const PLUGINS = 8;
/** A scrape that is handed to the stopped worker itself is given up. */
const GIVE_UP_MS = 3000;
const START_MS = 120_000;
const RUNS = 101;

const { values } = parseArgs({ options: { scrapes: { type: 'string', default: '15' } } });

const root = path.join(import.meta.dirname, '..');
const dir = mkdtempSync(path.join(os.tmpdir(), 'plugind-scrape-'));
const names = Array.from({ length: PLUGINS }, (_, index) => `hello${index}`);
const wasm = path.join(root, 'examples/hello/hello.wasm');
writeFileSync(
  path.join(dir, 'plugind.json'),
  JSON.stringify({
    workers: WORKERS,
    listen: { port: 0 },
    admin: { port: 0 },
    plugins: Object.fromEntries(names.map((name) => [name, { wasm }])),
    routes: names.map((name) => ({ path: `/${name}`, plugin: name, function: 'hello' })),
  }),
);

const child = spawn(
  process.execPath,
  ['dist/cli.js', 'serve', '--config', path.join(dir, 'plugind.json')],
  {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  },
);
try {
  const { url, adminUrl } = await banner(child);
  for (const name of names) {
    for (let count = 0; count < 50; count++) {
      await (
        await fetch(`${url}/${name}`, {
          method: 'POST',
          body: 'x',
          headers: { connection: 'close' },
        })
      ).text();
    }
  }
  const stopped = await stopOne(adminUrl);
  const texts: string[] = [];
  const times: number[] = [];
  while (times.length < Number(values.scrapes)) {
    const startedAt = performance.now();
    const text = await scrape(adminUrl);
    if (text === null) continue;
    times.push(performance.now() - startedAt);
    texts.push(text);
  }
  process.kill(stopped, 'SIGCONT');
  report(times, texts.at(-1) ?? '');
} finally {
  child.kill('SIGTERM');
  await once(child, 'close');
  rmSync(dir, { recursive: true, force: true });
}

async function banner({ stderr }: ChildProcess): Promise<{ url: string; adminUrl: string }> {
  let text = '';
  stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const startedAt = performance.now();
  for (;;) {
    const url = /plugind serves (http:\S+)/.exec(text)?.[1];
    const adminUrl = /status\s+(http:\S+)\/status/.exec(text)?.[1];
    if (url !== undefined && adminUrl !== undefined) return { url: new URL(url).origin, adminUrl };
    if (performance.now() - startedAt > START_MS) throw new Error(text);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Stops the worker of slot 1; its pid. */
async function stopOne(adminUrl: string): Promise<number> {
  const status = (await (await fetch(`${adminUrl}/status`)).json()) as {
    workers: { slot: string; pid: number }[];
  };
  const pid = status.workers.find(({ slot }) => slot === '1')?.pid;
  if (pid === undefined) throw new Error('there is no worker 1');
  process.kill(pid, 'SIGSTOP');
  return pid;
}

async function scrape(adminUrl: string): Promise<string | null> {
  const signal = AbortSignal.timeout(GIVE_UP_MS);
  const reply = await fetch(`${adminUrl}/metrics`, { signal }).catch(() => null);
  return reply?.text() ?? null;
}

function report(times: number[], text: string): void {
  const sorted = times.toSorted((a, b) => a - b);
  const up = [...text.matchAll(/^plugind_worker_up\{worker="(\d+)"\} (\d)/gm)];
  const down = up.filter(([, , value]) => value === '0').map(([, worker]) => worker);
  console.log(
    `Node ${process.version}, ${WORKERS} workers x ${PLUGINS} plugins, worker ${down} stopped`,
  );
  console.log(`${up.length} workers shown, ${Math.round(text.length / 1024)} KiB`);
  const show = (ms: number | undefined): string => (ms ?? 0).toFixed(1);
  console.log(
    `scrape: median ${show(sorted[sorted.length >> 1])} ms, worst ${show(sorted.at(-1))} ms`,
  );
  const check = spawnSync('promtool', ['check', 'metrics'], { input: text });
  console.log(`promtool check metrics: ${check.error?.message ?? `exit ${check.status}`}`);
  // Each worker's share, as it came in: what a scrape reads and merges without a wait between.
  const shares = Array.from({ length: WORKERS }, (_, slot) =>
    shareOf(text, String(slot === 1 ? 0 : slot)).replaceAll('worker="0"', `worker="${slot}"`),
  );
  const bytes = shares.reduce((sum, share) => sum + share.length, 0);
  const parsed = shares.map(parseExposition);
  for (const [what, work] of [
    ['parse one text', () => parseExposition(shares[0] ?? '')],
    [`merge ${WORKERS} (${Math.round(bytes / 1024)} KiB)`, () => mergeMetrics(parsed)],
  ] as const) {
    const times = Array.from({ length: RUNS }, () => timed(work)).sort((a, b) => a - b);
    const [median, p90] = [times[RUNS >> 1], times[Math.floor(RUNS * 0.9)]];
    console.log(`${what}: median ${show(median)} ms, p90 ${show(p90)} ms`);
  }
}

function timed(work: () => unknown): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}

function shareOf(text: string, slot: string): string {
  return text
    .split('\n')
    .filter((line) => line.startsWith('#') || line.includes(`worker="${slot}"`))
    .map((line) => `${line}\n`)
    .join('');
}
