/** What the runner asks of a server and of the system. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { clientWaits, waitAt } from '../../bench/runner/lock-wait.ts';
import { readUsage } from '../../bench/runner/process-usage.ts';
import { lockWaitShares, parseCounters } from '../../bench/runner/server-counters.ts';

const HAS_PROC = existsSync('/proc/self/stat') ? false : 'this system has no /proc';

function exposition(ok: number, waits: readonly number[]): string {
  const [short, all] = waits;
  return [
    'plugind_worker_up{worker="0"} 1',
    `plugind_plugin_calls_total{worker="0",plugin="p",function="f",outcome="ok"} ${ok}`,
    'plugind_plugin_calls_total{worker="1",plugin="p",function="f",outcome="QUEUE_FULL"} 2',
    `plugind_plugin_lock_wait_seconds_bucket{le="0.001",plugin="p",worker="0"} ${short}`,
    `plugind_plugin_lock_wait_seconds_bucket{le="+Inf",plugin="p",worker="0"} ${all}`,
  ].join('\n');
}

describe('the counters of a scrape', () => {
  it('are summed over workers and outcomes', () => {
    assert.equal(parseCounters(exposition(40, [1, 2])).calls, 42);
  });

  it('are not taken when a worker is missing', () => {
    assert.throws(() => parseCounters('plugind_worker_up{worker="1"} 0'));
  });

  it('give the shares of waits between two scrapes', () => {
    const [before, after] = [exposition(0, [10, 20]), exposition(9, [40, 60])].map(parseCounters);
    assert.ok(before && after);
    assert.deepEqual(lockWaitShares(before, after), [[0.75, 1000]]);
    assert.deepEqual(lockWaitShares(after, after), []);
  });
});

describe('the wait that a client sees', () => {
  it('is its latency less that of one connection', () => {
    const waits = clientWaits(
      [
        [0, 80],
        [50, 900],
        [99, 5000],
      ],
      100,
    );
    assert.deepEqual(waits, [
      [0, 0],
      [0.5, 800],
      [0.99, 4900],
    ]);
    assert.equal(waitAt(waits, 0.5), 800);
    assert.equal(waitAt(waits, 0.999), null);
  });
});

describe('the usage of a process', { skip: HAS_PROC }, () => {
  it('includes its children', async () => {
    const greedy =
      'globalThis.kept = Buffer.alloc(200e6, 1); process.stdout.write("x"); setInterval(() => {}, 1000)';
    const script = `const { spawn } = require('node:child_process'); spawn(process.execPath, ['-e', ${JSON.stringify(greedy)}], { stdio: 'inherit' }); setInterval(() => {}, 1000)`;
    const child = spawn(process.execPath, ['-e', script], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const usage = readUsage(child.pid ?? 0);
    const closed = once(child, 'close');
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await closed;
    assert.ok((usage?.peakRssBytes ?? 0) > 200e6);
    assert.ok((usage?.cpuUs ?? 0) > 0);
    assert.deepEqual(readUsage(child.pid ?? 0), { cpuUs: 0, peakRssBytes: 0 });
  });
});
