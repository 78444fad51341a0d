import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { register } from 'prom-client';
import type { ErrorCode } from '../../src/errors.ts';
import {
  createWorkerMetrics,
  type WorkerMetrics,
  type WorkerMetricsOptions,
} from '../../src/metrics/create-worker-metrics.ts';
import { parseExposition } from '../../src/metrics/exposition.ts';
import type { MeasuredGauges } from '../../src/metrics/plugin-metrics.ts';
import type { PluginDescription, PluginGauges, PluginObserver } from '../../src/plugin/observer.ts';
import { ROOT } from '../helpers/paths.ts';
import { unlessInstalled } from '../helpers/programs.ts';

const HELLO: PluginDescription = {
  name: 'hello',
  hash: 'ab12',
  version: '1.2.3',
  functions: ['greet', 'wave'],
  isolation: 'shared',
  freshWay: null,
  execution: 'inline',
  timeoutMs: 1000,
  maxPages: 1024,
  maxWaiters: 1000,
  waitMs: 5000,
  instances: 1,
};

function gauges(changes: Partial<MeasuredGauges> = {}): PluginGauges {
  return {
    waiters: () => 3,
    busySeconds: () => 1.5,
    memoryBytes: () => 65_536,
    instances: () => ({ starting: 0, ready: 2, poisoned: 1 }),
    ...changes,
  };
}

const created: WorkerMetrics[] = [];

function create(changes: Partial<WorkerMetricsOptions> = {}): WorkerMetrics {
  const metrics = createWorkerMetrics({
    worker: '7',
    version: '0.1.0',
    nodeVersion: '20.0.0',
    restarts: 4,
    hangs: 2,
    droppedLogLines: () => 7,
    routes: ['/', '/users/:id'],
    ...changes,
  });
  created.push(metrics);
  return metrics;
}

/** Value by series, its labels in the order of their names and without `worker`. */
async function series(metrics: WorkerMetrics, family: string): Promise<Record<string, number>> {
  const found = parseExposition(await metrics.text()).find(({ name }) => name === family);
  assert.ok(found, `no family ${family}`);
  const lines = found.samples.join('').trimEnd().split('\n').filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, labels, value] = /^([^{]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const sorted = (labels ?? '').split(',').sort();
      assert.ok(sorted.includes('worker="7"'), `no worker in ${line}`);
      return [
        `${name} ${sorted.filter((label) => label !== 'worker="7"').join()}`.trim(),
        Number(value),
      ];
    }),
  );
}

function countOf(buckets: Record<string, number>, name: string): [string, number][] {
  return Object.entries(buckets).filter(([key]) => key.startsWith(`${name}_count`));
}

describe('createWorkerMetrics', () => {
  afterEach(() => {
    for (const metrics of created.splice(0)) metrics.close();
  });

  it('has every series in a registry of its own, with the label worker', async () => {
    const metrics = create();
    metrics.addPlugin(HELLO, gauges()).called('greet', 'ok');
    metrics.observeRequest('POST', '/', 200, 0.01);
    const lines = (await metrics.text()).split('\n').filter((line) => /^[a-z]/.test(line));
    assert.ok(lines.length > 100);
    assert.deepEqual(
      lines.filter((line) => !/[{,]worker="7"/.test(line)),
      [],
    );
    assert.deepEqual(register.getMetricsAsArray(), []);
  });

  it('keeps two workers of one process apart', async () => {
    const one = create();
    const two = create();
    one.addPlugin(HELLO, gauges()).called('greet', 'ok');
    two.addPlugin(HELLO, gauges());
    const key = 'plugind_plugin_calls_total function="greet",outcome="ok",plugin="hello"';
    assert.equal((await series(one, 'plugind_plugin_calls_total'))[key], 1);
    assert.equal((await series(two, 'plugind_plugin_calls_total'))[key], 0);
  });

  it('takes the observer, the gauges and the description of plugin/ as they are', () => {
    const observer: PluginObserver = create().addPlugin(HELLO, gauges());
    observer.refused('QUEUE_FULL');
  });

  it('says which build, how many restarts and how busy the event loop is', async () => {
    const metrics = create();
    // Before the loop's first turn it has been neither busy nor idle.
    await setImmediate();
    assert.deepEqual(await series(metrics, 'plugind_build_info'), {
      'plugind_build_info node="20.0.0",version="0.1.0"': 1,
    });
    assert.deepEqual(await series(metrics, 'plugind_worker_restarts_total'), {
      'plugind_worker_restarts_total reason="pm2"': 4,
    });
    const { nodejs_eventloop_utilization: utilization = -1 } = await series(
      metrics,
      'nodejs_eventloop_utilization',
    );
    assert.ok(utilization >= 0 && utilization <= 1);
    const { nodejs_eventloop_active_seconds_total: active = -1 } = await series(
      metrics,
      'nodejs_eventloop_active_seconds_total',
    );
    assert.ok(active > 0);
  });

  it('takes the utilisation of the event loop once a second, however often it is scraped', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    let now = { idle: 0, active: 0, utilization: 0 };
    t.mock.method(performance, 'eventLoopUtilization', (to?: typeof now, since?: typeof now) => {
      if (to === undefined || since === undefined) return now;
      const active = to.active - since.active;
      return { active, utilization: active / (active + to.idle - since.idle) };
    });
    const metrics = create();
    const read = async (): Promise<number | undefined> =>
      (await series(metrics, 'nodejs_eventloop_utilization')).nodejs_eventloop_utilization;
    now = { idle: 750, active: 250, utilization: 0.25 };
    t.mock.timers.tick(1000);
    assert.equal(await read(), 0.25);
    now = { idle: 1000, active: 500, utilization: 1 / 3 };
    assert.equal(await read(), 0.25);
    now = { idle: 1250, active: 750, utilization: 0.375 };
    t.mock.timers.tick(1000);
    assert.equal(await read(), 0.5);
    const counter = await series(metrics, 'nodejs_eventloop_active_seconds_total');
    assert.deepEqual(counter, { nodejs_eventloop_active_seconds_total: 0.75 });
  });

  it('has the default metrics but the gauges that are named like counters', async () => {
    const families = parseExposition(await create().text());
    const names = families.map(({ name }) => name);
    for (const name of [
      'process_cpu_seconds_total',
      'nodejs_heap_size_used_bytes',
      'nodejs_active_resources',
    ]) {
      assert.ok(names.includes(name), name);
    }
    const misnamed = families.filter(
      ({ name, type }) => name.endsWith('_total') && type !== 'counter',
    );
    assert.deepEqual(misnamed, []);
  });

  it('passes promtool check metrics', { skip: unlessInstalled('promtool') }, async () => {
    const metrics = create();
    const observer = metrics.addPlugin(HELLO, gauges());
    observer.acquired(0.001);
    observer.released(0.001);
    observer.called('greet', 'ok');
    metrics.observeRequest('POST', '/', 200, 0.01);
    const check = spawnSync('promtool', ['check', 'metrics'], { input: await metrics.text() });
    assert.equal(check.stderr.toString() + check.stdout.toString(), '');
    assert.equal(check.status, 0);
  });
});

describe('WorkerMetrics.observeRequest', () => {
  it('counts a duration in every bucket it fits', async () => {
    const metrics = create();
    for (const seconds of [0.0001, 0.0002, 3, 100])
      metrics.observeRequest('GET', '/users/:id', 200, seconds);
    const found = await series(metrics, 'http_request_duration_seconds');
    const labels = 'method="GET",route="/users/:id",status_code="200"';
    const bucket = (le: string): number | undefined =>
      found[`http_request_duration_seconds_bucket le="${le}",${labels}`];
    assert.deepEqual(
      ['0.0001', '0.00025', '2.5', '5', '10', '+Inf'].map(bucket),
      [1, 2, 2, 3, 3, 4],
    );
    assert.equal(found[`http_request_duration_seconds_count ${labels}`], 4);
    assert.ok(
      Math.abs((found[`http_request_duration_seconds_sum ${labels}`] ?? 0) - 103.0003) < 1e-9,
    );
    assert.equal(Object.keys(found).filter((key) => key.includes('_bucket')).length, 17);
  });

  it('gives a method of a route 16 statuses, then those of their classes', async () => {
    const metrics = create();
    const named = [
      200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 404, 404, 503,
    ];
    for (const status of [...named, ...named]) metrics.observeRequest('GET', '/', status, 0.01);
    metrics.observeRequest('POST', '/', 404, 0.01);
    const name = 'http_request_duration_seconds';
    const counts = Object.fromEntries(countOf(await series(metrics, name), name));
    const of = (method: string, status: string): number | undefined =>
      counts[`${name}_count method="${method}",route="/",status_code="${status}"`];
    assert.equal(of('GET', '305'), 2);
    assert.deepEqual([of('GET', '404'), of('GET', '4xx'), of('GET', '5xx')], [undefined, 4, 2]);
    assert.equal(of('POST', '404'), 1);
  });

  it('tells clients that left from those that asked for the wrong thing', async () => {
    const metrics = create();
    metrics.observeRequest('GET', '/', 499, 0.01);
    const found = await series(metrics, 'http_request_duration_seconds');
    const labels = 'method="GET",route="/",status_code="499"';
    assert.equal(found[`http_request_duration_seconds_count ${labels}`], 1);
  });

  it('gives no client and no plugin a series of its own', async () => {
    const metrics = create();
    for (let i = 0; i < 2000; i++) {
      metrics.observeRequest(`M${i}`, `/attack/${i}`, 404, 0.01);
      metrics.observeRequest('GET', '/', i, 0.01);
      metrics.observeRequest('GET', '/', i + 0.5, 0.01);
    }
    const counts = countOf(
      await series(metrics, 'http_request_duration_seconds'),
      'http_request_duration_seconds',
    );
    assert.ok(counts.length < 80, `${counts.length} series`);
    assert.equal(
      counts.reduce((sum, [, count]) => sum + count, 0),
      6000,
    );
    const labels = 'method="OTHER",route="unmatched",status_code="404"';
    assert.ok(counts.some(([key, count]) => key.includes(labels) && count === 2000));
    assert.ok(counts.some(([key]) => key.includes('status_code="2xx"')));
  });

  it('leaves out what is no duration, so that the sum stays right', async () => {
    const metrics = create();
    for (const seconds of [Number.NaN, -1, Number.POSITIVE_INFINITY, 0.5]) {
      metrics.observeRequest('POST', '/', 200, seconds);
    }
    const found = await series(metrics, 'http_request_duration_seconds');
    const labels = 'method="POST",route="/",status_code="200"';
    assert.equal(found[`http_request_duration_seconds_sum ${labels}`], 0.5);
    assert.equal(found[`http_request_duration_seconds_count ${labels}`], 1);
  });
});

describe('WorkerMetrics.addPlugin', () => {
  it('starts every function with every outcome that can happen at zero', async () => {
    const metrics = create();
    metrics.addPlugin(HELLO, gauges());
    const calls = await series(metrics, 'plugind_plugin_calls_total');
    const outcomes: ('ok' | ErrorCode)[] = [
      'ok',
      'QUEUE_FULL',
      'WAIT_DEADLINE',
      'SHUTTING_DOWN',
      'CALL_DEADLINE',
      'CLIENT_CLOSED',
      'PLUGIN_TRAPPED',
      'PLUGIN_ERROR',
      'PLUGIN_LIMIT',
      'PLUGIN_BAD_OUTPUT',
      'INTERNAL',
    ];
    const expected = HELLO.functions.flatMap((name) =>
      outcomes.map(
        (outcome) =>
          `plugind_plugin_calls_total function="${name}",outcome="${outcome}",plugin="hello"`,
      ),
    );
    for (const key of expected) assert.equal(calls[key], 0, key);
    assert.ok(!Object.keys(calls).some((key) => /CONFIG|COMPILE|ROUTE|BODY/.test(key)));
  });

  it('counts each call once, refused or not', async () => {
    const metrics = create();
    const observer = metrics.addPlugin(HELLO, gauges());
    observer.called('greet', 'ok');
    observer.called('wave', 'ok');
    observer.refused('QUEUE_FULL');
    observer.called('greet', 'QUEUE_FULL');
    const calls = await series(metrics, 'plugind_plugin_calls_total');
    assert.equal(
      Object.values(calls).reduce((sum, count) => sum + count),
      3,
    );
    assert.deepEqual(observer.outcomes(), { ok: 2, QUEUE_FULL: 1 });
  });

  it('counts functions that no route names as one', async () => {
    const metrics = create();
    const observer = metrics.addPlugin(HELLO, gauges());
    for (let i = 0; i < 100; i++) observer.called(`f${i}`, 'ok');
    const calls = await series(metrics, 'plugind_plugin_calls_total');
    const other = Object.entries(calls).filter(([key]) => !/"(greet|wave)"/.test(key));
    assert.deepEqual(other, [
      ['plugind_plugin_calls_total function="other",outcome="ok",plugin="hello"', 100],
    ]);
  });

  it('counts trips of each limit, and those of no known one together', async () => {
    const metrics = create();
    const observer = metrics.addPlugin(HELLO, gauges());
    const trips = async (): Promise<Record<string, number>> =>
      Object.fromEntries(
        Object.entries(await series(metrics, 'plugind_plugin_limit_trips_total')).map(
          ([key, count]) => [/limit="([^"]+)"/.exec(key)?.[1] ?? key, count],
        ),
      );
    const zero = await trips();
    assert.deepEqual([...new Set(Object.values(zero))], [0]);
    for (const limit of Object.keys(zero)) observer.limited(limit);
    for (let i = 0; i < 100; i++) observer.limited(`x${i}`);
    assert.deepEqual(await trips(), {
      ...Object.fromEntries(Object.keys(zero).map((limit) => [limit, 1])),
      other: 101,
    });
  });

  it('knows every limit that the engine names in the error of a call', async () => {
    const metrics = create();
    metrics.addPlugin(HELLO, gauges());
    const known = Object.keys(await series(metrics, 'plugind_plugin_limit_trips_total')).join();
    const folder = path.join(ROOT, 'src/plugin');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      // Those of a manifest's download end no call.
      .filter((file) => file.endsWith('.ts') && !file.includes('manifest'))
      .map((file) => readFileSync(path.join(folder, file), 'utf8'));
    const named = files.flatMap((text) => [
      ...text.matchAll(/(?:limit|bodyLimit: \{ name): '([^']+)'|httpLimit\('[^']+', '([^']+)'/g),
    ]);
    assert.ok(named.length > 7);
    for (const [, detail, http] of named) {
      assert.ok(known.includes(`limit="${detail ?? http}"`), `${detail ?? http} is not known`);
    }
  });

  it('measures waiting and holding from 10 us to 10 s', async () => {
    const metrics = create();
    const observer = metrics.addPlugin(HELLO, gauges());
    observer.acquired(0.00002);
    observer.released(0.3);
    for (const [name, le, seconds] of [
      ['plugind_plugin_lock_wait_seconds', '0.000025', 0.00002],
      ['plugind_plugin_lock_hold_seconds', '0.5', 0.3],
    ] as const) {
      const found = await series(metrics, name);
      const bounds = Object.keys(found).flatMap((key) => /le="([^"]+)"/.exec(key)?.[1] ?? []);
      assert.equal(bounds.length, 20);
      assert.deepEqual([bounds[0], bounds[18], bounds[19]], ['0.00001', '10', '+Inf']);
      const first = bounds.find(
        (bound) => found[`${name}_bucket le="${bound}",plugin="hello"`] === 1,
      );
      assert.equal(first, le);
      assert.equal(found[`${name}_sum plugin="hello"`], seconds);
    }
  });

  it('reads its gauges at each scrape', async () => {
    const metrics = create();
    let waiters = 1;
    metrics.addPlugin(HELLO, gauges({ waiters: () => waiters }));
    assert.deepEqual(await series(metrics, 'plugind_plugin_lock_waiters'), {
      'plugind_plugin_lock_waiters plugin="hello"': 1,
    });
    waiters = 9;
    assert.deepEqual(await series(metrics, 'plugind_plugin_lock_waiters'), {
      'plugind_plugin_lock_waiters plugin="hello"': 9,
    });
    assert.deepEqual(await series(metrics, 'plugind_plugin_memory_bytes'), {
      'plugind_plugin_memory_bytes plugin="hello"': 65_536,
    });
    assert.deepEqual(await series(metrics, 'plugind_plugin_instances'), {
      'plugind_plugin_instances plugin="hello",state="starting"': 0,
      'plugind_plugin_instances plugin="hello",state="ready"': 2,
      'plugind_plugin_instances plugin="hello",state="poisoned"': 1,
    });
    assert.deepEqual(await series(metrics, 'plugind_plugin_info'), {
      'plugind_plugin_info hash="ab12",plugin="hello",version="1.2.3"': 1,
    });
  });

  it('never lets the busy time fall, not even by a rounding error', async () => {
    const metrics = create();
    let busy = 5.000000001;
    metrics.addPlugin(HELLO, gauges({ busySeconds: () => busy }));
    const read = async (): Promise<number | undefined> =>
      Object.values(await series(metrics, 'plugind_plugin_lock_busy_seconds_total'))[0];
    assert.equal(await read(), 5.000000001);
    busy = 5;
    assert.equal(await read(), 5.000000001);
    busy = 6;
    assert.equal(await read(), 6);
  });

  it('survives a version that a plugin made to break the text', async () => {
    const metrics = create();
    metrics.addPlugin({ ...HELLO, version: '"} 1\nevil 1\n\\x' }, gauges());
    const families = parseExposition(await metrics.text());
    assert.ok(!families.some(({ name }) => name === 'evil'));
    assert.ok(families.some(({ name }) => name === 'plugind_plugin_info'));
  });

  it('refuses a second plugin of the same name', () => {
    const metrics = create();
    metrics.addPlugin(HELLO, gauges());
    assert.throws(() => metrics.addPlugin(HELLO, gauges()), { code: 'INTERNAL' });
  });
});
