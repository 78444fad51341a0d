/**
 * The live page in a real browser before a real cluster: under load, through a reload, with a
 * worker that hangs. What it shows is compared with what `/metrics` and Prometheus say.
 */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { quantile } from '../../src/admin/page/quantile.js';
import { LiveColumns } from '../../src/metrics/live-columns.ts';
import { readMetrics, waitForReady } from '../helpers/cluster-status.ts';
import { parseSamples, type Sample } from '../helpers/exposition.ts';
import { writeHangingConfig } from '../helpers/hanging-plugin.ts';
import { type Load, startLoad } from '../helpers/load-client.ts';
import { unlessInstalled } from '../helpers/programs.ts';
import { type ServerProcess, startServer } from '../helpers/server-process.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { checkAccessibility } from './accessibility.ts';
import {
  LivePage,
  launchBrowser,
  type PageHistory,
  readHello,
  sumColumns,
} from './live-browser.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';

/** Longer than the page waits before it looks for another worker. */
const WATCHDOG_MS = 8000;
const HELLO = 'hello';
const HUNG = /^worker \d hung in hanging\.hang and was killed/;
const WINDOW_S = 5;
const ROLL_CAP_MS = 120_000;

let server: ServerProcess;
let browser: Browser;
let load: Load;
let columns: LiveColumns;
/** null where it is not installed. */
let prometheus: Prometheus | null = null;

describe('the live page', { skip: unlessInstalled('chromium') }, () => {
  before(async () => {
    const config = await writeHangingConfig(WATCHDOG_MS);
    [server, browser] = await Promise.all([
      startServer({ args: ['--config', config, '--workers', '2'] }),
      launchBrowser(),
    ]);
    const { outcomes, bounds } = await readHello(server.adminUrl);
    columns = new LiveColumns(outcomes, bounds);
    if (unlessInstalled('prometheus') === false)
      prometheus = await startPrometheus(server.adminUrl);
    load = startLoad({ port: server.port, connections: 6, maxPauseMs: 20 });
  });

  after(async () => {
    await load?.stop();
    await browser?.close();
    await prometheus?.stop();
    server?.child.kill('SIGKILL');
  });

  it('has the calls that Prometheus scraped', {
    skip: unlessInstalled('prometheus'),
  }, async (t) => {
    await waitFor('scrapes', async () => ((await prometheus?.scrapes()) ?? 0) > WINDOW_S);
    for (const slot of ['0', '1']) await compareThroughput(slot, (text) => t.diagnostic(text));
  });

  it('has every call that /metrics has, worker by worker and bucket by bucket', async () => {
    // Opened late: what it shows happened before.
    const live = await open();
    await live.screenshot('load-light-1280');
    await load.stop();
    const calls = 'plugind_plugin_calls_total';
    const ended = await readMetrics(server.adminUrl);
    const samples = parseSamples(ended);
    const wanted = ['0', '1'].map((slot) =>
      pickSum(samples, calls, `plugin="${HELLO}"`, 'outcome="ok"', `worker="${slot}"`),
    );
    const history = await waitFor('the last second', async () => {
      const now = await live.history();
      const got = ['0', '1'].map(
        (slot) => sumColumns(now, { slot, plugin: HELLO, first: 0, count: 1 })[0],
      );
      return JSON.stringify(got) === JSON.stringify(wanted) && now;
    });
    for (const [part, name] of [
      [columns.wait, 'wait'],
      [columns.hold, 'hold'],
    ] as const) {
      const count = columns.bounds.length + 1;
      const got = sumColumns(history, { plugin: HELLO, first: part, count });
      const theirs = buckets(samples, `plugind_plugin_lock_${name}_seconds`);
      assert.deepEqual(got, theirs, name);
      for (const q of [0.5, 0.99]) await compareQuantile(q, name, got);
    }
    assert.deepEqual(live.problems, []);
    await live.close();
    load = startLoad({ port: server.port, connections: 6, maxPauseMs: 20 });
  });

  it('is usable with a keyboard and a screen reader, on a phone, in the dark', async () => {
    const live = await open();
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [360, 1280]) {
        await live.page.emulateMedia({ colorScheme });
        await live.page.setViewportSize({ width, height: 780 });
        await checkAccessibility(live.page);
        await live.screenshot(`${colorScheme}-${width}`);
      }
    }
    assert.deepEqual(live.problems, []);
    await live.close();
  });

  it('goes on through a reload, without a gap', async () => {
    const live = await open();
    const begun = (await live.history()).end;
    server.child.kill('SIGHUP');
    const isDone = async (): Promise<boolean> =>
      (await live.history(1)).marks.some(({ text }) => /^roll \d+ done/.test(text));
    await waitFor('the end of the roll', isDone, ROLL_CAP_MS);
    await waitForReady(server.adminUrl, 2);
    const ended = (await live.history()).end;
    await waitFor('two seconds after it', async () => (await live.history(1)).end >= ended + 2);
    const history = await live.history();
    for (const [slot, spans] of Object.entries(history.spans)) {
      const seconds = spans.slice(-(history.end - begun + 1), -1);
      assert.ok(seconds.length > 2);
      assert.equal(unexplained(seconds), 0, `worker ${slot} has a gap: ${seconds}`);
    }
    const texts = history.marks.map(({ text }) => text.replace(/ \(pid \d+\)/, ''));
    for (const wanted of ['worker 0 closed', 'worker 1 closed']) {
      assert.ok(texts.includes(wanted), `${wanted} is not among ${texts.join('; ')}`);
    }
    await live.screenshot('reload');
    assert.deepEqual(live.problems, []);
    await live.close();
  });

  it('shows a worker that hangs as silent, as a gap, and why it was replaced', async () => {
    const live = await open();
    const from = (await live.history(1)).end;
    const hungMarks = async (): Promise<number> =>
      (await live.history(1)).marks.filter(({ text }) => HUNG.test(text)).length;
    let wasSilent = false;
    // On a machine that stands still for seconds a whole hang can go by between two turns.
    for (let hangs = 1; !wasSilent && hangs <= 3; hangs++) {
      hang(server.port);
      await waitFor('the hang to be told', async () => {
        wasSilent ||= (await rowsOf(live, 'silent')) > 0;
        return (await hungMarks()) === hangs;
      });
    }
    assert.ok(wasSilent, 'the worker that hung was never shown as silent');
    await waitFor('both workers', async () => (await rowsOf(live, 'ready')) === 2);
    const history = await live.history();
    const gaps = Object.values(history.spans).map(
      (spans) => spans.slice(from - history.end - 1, -1).filter((span) => span === 0).length,
    );
    assert.ok(Math.max(...gaps) >= 2, `gaps of ${gaps} seconds`);
    assert.ok(history.marks.some(({ text }) => /^worker \d restarted: .*SIGKILL/.test(text)));
    await live.screenshot('hung');
    assert.deepEqual(live.problems, []);
    await live.close();
  });
});

async function open(options: Parameters<typeof LivePage.open>[2] = {}): Promise<LivePage> {
  const live = await LivePage.open(browser, server.adminUrl, options);
  await live.live();
  return live;
}

/**
 * Seconds without a row, but for those in which the worker stood still by its own account: the row
 * after them spans more than the three seconds that the page fills.
 */
function unexplained(spans: readonly number[]): number {
  let missing = 0;
  let empty = 0;
  for (const span of spans) {
    if (span > 0) {
      missing += Math.max(0, empty - Math.ceil(3 * Math.max(0, span - 1)));
      empty = 0;
    } else empty++;
  }
  return missing + empty;
}

function rowsOf(live: LivePage, state: string): Promise<number> {
  return live.page.locator(`#workers tr.${state}`).count();
}

function hang(port: number): void {
  const outgoing = request({ host: '127.0.0.1', port, path: '/hang', method: 'POST' });
  outgoing.on('error', () => {});
  outgoing.end('x');
}

function pickSum(samples: readonly Sample[], name: string, ...labels: string[]): number {
  return samples
    .filter(({ series }) => series.startsWith(`${name}{`))
    .filter(({ series }) => labels.every((label) => series.includes(label)))
    .reduce((sum, { value }) => sum + value, 0);
}

/** Not cumulative, of all workers. */
function buckets(samples: readonly Sample[], name: string): number[] {
  const bounds = [...columns.bounds.map(String), '+Inf'];
  const cumulative = bounds.map((bound) =>
    pickSum(samples, `${name}_bucket`, `plugin="${HELLO}"`, `le="${bound}"`),
  );
  return cumulative.map((value, index) => value - (cumulative[index - 1] ?? 0));
}

/** By Prometheus' own function, over the same counts. */
async function compareQuantile(q: number, name: string, counts: readonly number[]): Promise<void> {
  if (prometheus === null) return;
  const metric = `plugind_plugin_lock_${name}_seconds_bucket{plugin="${HELLO}"}`;
  const total = `sum(plugind_plugin_lock_${name}_seconds_count{plugin="${HELLO}"})`;
  const all = counts.reduce((sum, count) => sum + count, 0);
  const { query } = prometheus;
  await waitFor('the last scrape', async () => (await query(total)) === all);
  const theirs = await query(`histogram_quantile(${q}, sum by (le) (${metric}))`);
  const ours = quantile(q, columns.bounds, counts) as number;
  assert.ok(Math.abs(theirs - ours) <= 1e-9, `${name} p${q * 100}: ${theirs}, not ${ours}`);
}

/** What Prometheus scraped as calls of a worker, and what the page has of the same seconds and one interval more or less. */
async function compareThroughput(slot: string, say: (text: string) => void): Promise<void> {
  const series = `plugind_plugin_calls_total{plugin="${HELLO}",outcome="ok",worker="${slot}"}`;
  const scraped = await (prometheus as Prometheus).samples(`${series}[${WINDOW_S}s]`);
  const [from, to] = [scraped[0], scraped.at(-1)] as [[number, number], [number, number]];
  const live = await open();
  await waitFor('the same seconds', async () => (await live.history(1)).end > to[0] + 2);
  const history = await live.history();
  const sum = (first: number, last: number): number =>
    sumColumns(cut(history, first, last), { slot, plugin: HELLO, first: 0, count: 1 })[0] ?? 0;
  const theirs = to[1] - from[1];
  const least = sum(Math.ceil(from[0]) + 1, Math.floor(to[0]));
  const most = sum(Math.floor(from[0]), Math.ceil(to[0]) + 1);
  const span = `${(to[0] - from[0]).toFixed(1)} s`;
  say(`worker ${slot} in ${span}: Prometheus ${theirs} calls, page ${least} to ${most}`);
  assert.ok(theirs > 0 && theirs >= least && theirs <= most, `${theirs}, not ${least} to ${most}`);
  await live.close();
}

/** The seconds after `first`, up to and with `last`. */
function cut(history: PageHistory, first: number, last: number): PageHistory {
  const some = (values: number[]): number[] => {
    const end = values.length - (history.end - last);
    return values.slice(end - (last - first), end);
  };
  return {
    ...history,
    columns: Object.fromEntries(
      Object.entries(history.columns).map(([slot, plugins]) => [
        slot,
        Object.fromEntries(
          Object.entries(plugins).map(([plugin, parts]) => [
            plugin,
            Object.fromEntries(Object.entries(parts).map(([key, values]) => [key, some(values)])),
          ]),
        ),
      ]),
    ),
  };
}
