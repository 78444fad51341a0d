import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { RollQueue } from '../../src/cluster/roll-queue.ts';

const log = { info() {}, error() {} } as never;

function create() {
  const running: { end(): void; fail(reason: string): void }[] = [];
  const queue = new RollQueue({
    log,
    run: () =>
      new Promise((resolve, reject) => {
        running.push({ end: resolve, fail: (reason) => reject(new Error(reason)) });
      }),
  });
  return { queue, running };
}

describe('RollQueue', () => {
  it('runs one at a time, and gives whoever asks meanwhile the next', async () => {
    const { queue, running } = create();
    const first = queue.request('SIGHUP');
    assert.equal(first.state, 'running');
    const second = queue.request('reload');
    assert.equal(queue.request('watch').id, second.id);
    assert.equal(second.state, 'waiting');
    assert.equal(running.length, 1);
    running[0]?.end();
    await setImmediate();
    assert.deepEqual(
      [queue.find(first.id)?.state, queue.find(second.id)?.state],
      ['done', 'running'],
    );
    running[1]?.end();
    await setImmediate();
    assert.deepEqual(
      queue.list().map(({ id, state }) => [id, state]),
      [
        [second.id, 'done'],
        [first.id, 'done'],
      ],
    );
  });

  it('keeps the reason of one that failed, and goes on', async () => {
    const { queue, running } = create();
    const { id } = queue.request('reload');
    running[0]?.fail('no such file');
    await setImmediate();
    assert.equal(queue.find(id)?.reason, 'no such file');
    assert.deepEqual(queue.results, { done: 0, failed: 1 });
    assert.equal(queue.request('reload').state, 'running');
    running[1]?.end();
  });

  it('remembers a few only', async () => {
    const { queue, running } = create();
    for (let roll = 0; roll < 15; roll++) {
      queue.request('watch');
      running[roll]?.end();
      await setImmediate();
    }
    assert.equal(queue.list().length, 10);
    assert.equal(queue.results.done, 15);
  });
});
