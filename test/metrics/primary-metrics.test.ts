import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseExposition } from '../../src/metrics/exposition.ts';
import { createPrimaryMetrics } from '../../src/metrics/primary-metrics.ts';

describe('createPrimaryMetrics', () => {
  it('says at each scrape what the primary knows then', async () => {
    let restarts = 1;
    let slots = ['0', '1'];
    const text = createPrimaryMetrics(() => ({
      expectedWorkers: 2,
      workers: { ready: 2, draining: 0 },
      restarts: slots.map((slot) => ({ slot, byReason: { signal: restarts } })),
      rolls: { done: 3, failed: 0 },
    }));
    const samples = async (): Promise<string[]> =>
      parseExposition(await text()).flatMap((family) => family.samples.join('').trim().split('\n'));
    assert.deepEqual(await samples(), [
      'plugind_workers_expected 2',
      'plugind_workers{state="ready"} 2',
      'plugind_workers{state="draining"} 0',
      'plugind_worker_restarts_total{worker="0",reason="signal"} 1',
      'plugind_worker_restarts_total{worker="1",reason="signal"} 1',
      'plugind_rolls_total{result="done"} 3',
      'plugind_rolls_total{result="failed"} 0',
    ]);
    restarts = 2;
    slots = ['0'];
    assert.deepEqual(
      (await samples()).filter((line) => line.includes('restarts')),
      ['plugind_worker_restarts_total{worker="0",reason="signal"} 2'],
    );
  });
});
