/** The number of series of one worker, with every label value that clients and plugins can invent. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ERROR_CODES } from '../../src/errors.ts';
import { Traffic } from '../../src/http/traffic.ts';
import { createWorkerMetrics } from '../../src/metrics/create-worker-metrics.ts';
import { parseSamples } from '../helpers/exposition.ts';
import { ROOT } from '../helpers/paths.ts';

interface Size {
  readonly routes: number;
  readonly plugins: number;
  /** Of each plugin. */
  readonly functions: number;
}

const LIMIT_NAMES = 12;
/** Those with a name first: each may have a series of its own. */
const ALL_STATUSES = [...Object.keys(STATUS_CODES).map(Number), ...Array(1000).keys(), -1, 200.5];

/** Series by metric, `_bucket`, `_sum` and `_count` apart. */
async function countSeries({ routes, plugins, functions }: Size): Promise<Map<string, number>> {
  const metrics = createWorkerMetrics({
    worker: '0',
    version: '0.0.0',
    nodeVersion: '20.0.0',
    restarts: 0,
    hangs: 0,
    droppedLogLines: () => 0,
    routes: Array.from({ length: routes }, (_, index) => `/${index}`),
  });
  try {
    metrics.addListener({
      connections: () => 1,
      requestsInFlight: () => 1,
      rejected: () => new Traffic().rejected,
    });
    for (let plugin = 0; plugin < plugins; plugin++) addPlugin(metrics, plugin, functions);
    inventRequests(metrics, routes);
    const counts = new Map<string, number>();
    for (const { series } of parseSamples(await metrics.text())) {
      const name = /^\w+/.exec(series)?.[0] ?? series;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  } finally {
    metrics.close();
  }
}

function addPlugin(
  metrics: ReturnType<typeof createWorkerMetrics>,
  index: number,
  functions: number,
): void {
  const observer = metrics.addPlugin(
    {
      name: `plugin${index}`,
      hash: 'ab12',
      version: 'x'.repeat(128),
      functions: Array.from({ length: functions }, (_, number) => `f${number}`),
    },
    {
      waiters: () => 0,
      busySeconds: () => 0,
      memoryBytes: () => 0,
      instances: () => ({ starting: 0, ready: 1, poisoned: 0 }),
    },
  );
  for (let number = 0; number < functions + 50; number++) {
    for (const outcome of ['ok', ...ERROR_CODES] as const) observer.called(`f${number}`, outcome);
  }
  for (let number = 0; number < LIMIT_NAMES; number++) observer.limited(`invented${number}`);
}

function inventRequests(metrics: ReturnType<typeof createWorkerMetrics>, routes: number): void {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'BREW', 'PROPFIND'];
  for (let route = 0; route < routes + 3; route++) {
    for (const method of methods) {
      for (const status of ALL_STATUSES) {
        metrics.observeRequest(method, `/${route}`, status, 0.001);
      }
    }
  }
}

const METHODS = 8;
/** The first 16 that come, and 0xx to 5xx for all others. */
const STATUSES = 16 + 6;
const OUTCOMES = ERROR_CODES.length + 1;

function ours(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [name, count] of counts) {
    if (/^(http|plugind)_/.test(name)) sum += count;
  }
  return sum;
}

/** The formula of docs/metrics.md. R routes, P plugins, F functions of all plugins together. */
function formula(R: number, P: number, F: number): number {
  return 12 + 64 * P + OUTCOMES * (F + P) + 19 * METHODS * STATUSES * (R + 1);
}

describe('the series of a worker', () => {
  for (const size of [
    { routes: 1, plugins: 1, functions: 1 },
    { routes: 3, plugins: 2, functions: 4 },
    { routes: 2, plugins: 8, functions: 3 },
  ]) {
    const { routes, plugins, functions } = size;
    it(`are as many as the formula says: ${routes} routes, ${plugins} plugins of ${functions} functions`, async () => {
      const counts = await countSeries(size);
      assert.equal(ours(counts), formula(routes, plugins, plugins * functions));
    });
  }

  it('are those of the process beside, within the documented bound', async () => {
    const counts = await countSeries({ routes: 0, plugins: 0, functions: 0 });
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
    assert.ok(all - ours(counts) < 150, `${all - ours(counts)} series`);
  });

  it('follow the formula that docs/metrics.md states', () => {
    const text = readFileSync(path.join(ROOT, 'docs/metrics.md'), 'utf8');
    const stated = /^ {4}(12 \+ .*)$/m.exec(text)?.[1] ?? '';
    const js = stated.replaceAll(' x ', ' * ');
    const evaluate = new Function('R', 'P', 'F', `return ${js}`) as (...sizes: number[]) => number;
    assert.equal(evaluate(3, 2, 8), formula(3, 2, 8));
    assert.equal(evaluate(1, 1, 1), formula(1, 1, 1));
  });
});
