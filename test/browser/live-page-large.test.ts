/**
 * The live page of a large cluster: one real worker and 31 that are made up, each with a quarter of
 * an hour behind it. The long form leaves it open for 10 minutes.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { LiveColumns } from '../../src/metrics/live-columns.ts';
import { readMetrics } from '../helpers/cluster-status.ts';
import { parseSamples, sumOf } from '../helpers/exposition.ts';
import { shortOrLong } from '../helpers/long-form.ts';
import { unlessInstalled } from '../helpers/programs.ts';
import { type ServerProcess, startServer } from '../helpers/server-process.ts';
import { type SimulatedWorkers, simulateWorkers } from '../helpers/simulated-workers.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { LivePage, launchBrowser, readHello } from './live-browser.ts';

const WORKERS = 32;
const ROWS = 900;
/** Seconds before the first and between the two readings. */
const SETTLE_S = shortOrLong(2, 60);
const OPEN_S = shortOrLong(3, 600);
const PAGE_GROWTH_BYTES = 3 * 1024 * 1024;
const WORKER_GROWTH_BYTES = 12 * 1024 * 1024;
/** Garbage comes and goes: the least of so many readings, a second apart, is what is kept. */
const READINGS = shortOrLong(2, 30);

describe('the live page of 32 workers', { skip: unlessInstalled('chromium') }, () => {
  let server: ServerProcess;
  let browser: Browser;
  let simulated: SimulatedWorkers;
  const runDir = mkdtempSync(path.join(os.tmpdir(), 'plugind-large-'));

  before(async () => {
    [server, browser] = await Promise.all([
      startServer({ args: ['--workers', '1'], env: { PLUGIND_RUN_DIR: runDir } }),
      launchBrowser(),
    ]);
    const { outcomes, bounds } = await readHello(server.adminUrl);
    const columns = new LiveColumns(outcomes, bounds);
    simulated = await simulateWorkers({ runDir, columns, firstSlot: 1, count: WORKERS - 1 });
  });

  after(async () => {
    await browser?.close();
    await simulated?.close();
    server?.child.kill('SIGKILL');
    rmSync(runDir, { recursive: true, force: true });
  });

  it('shows all of them with their history, on a phone too, and grows no further', async (t) => {
    const live = await LivePage.open(browser, server.adminUrl);
    await live.live();
    await waitFor(
      '32 workers',
      async () => (await live.page.locator('#workers tbody tr').count()) === WORKERS,
    );
    const last = simulated.workers.at(-1)?.status().slot as string;
    await waitFor('the whole history', async () => (await live.filled(last)) >= ROWS - 3);
    await live.page.check('input[name=range][value="900"]', { force: true });
    await live.screenshot('32-workers-1280');
    await live.page.setViewportSize({ width: 360, height: 780 });
    await live.screenshot('32-workers-360');
    await live.page.setViewportSize({ width: 1280, height: 900 });
    await seconds(live, SETTLE_S);
    const before = { page: await live.heapBytes(), worker: await workerHeap(live) };
    await seconds(live, OPEN_S);
    const after = { page: await live.heapBytes(), worker: await workerHeap(live) };
    const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
    t.diagnostic(`page ${mib(before.page)}, after ${OPEN_S} s ${mib(after.page)}`);
    t.diagnostic(`worker ${mib(before.worker)}, after ${OPEN_S} s ${mib(after.worker)}`);
    assert.ok(after.page - before.page <= PAGE_GROWTH_BYTES, 'the page grew');
    assert.ok(after.worker - before.worker <= WORKER_GROWTH_BYTES, 'the worker grew');
    assert.deepEqual(live.problems, []);
    await live.close();
  });

  /** So many seconds of the page's own time. */
  async function seconds(live: LivePage, count: number): Promise<void> {
    const { end } = await live.history(1);
    await waitFor(
      `${count} seconds`,
      async () => (await live.history(1)).end >= end + count,
      (count + 60) * 1000,
    );
  }

  async function workerHeap(live: LivePage): Promise<number> {
    const readings: number[] = [];
    while (readings.length < READINGS) {
      const samples = parseSamples(await readMetrics(server.adminUrl));
      readings.push(sumOf(samples, 'nodejs_heap_size_used_bytes', 'worker="0"'));
      await seconds(live, 1);
    }
    return Math.min(...readings);
  }
});
