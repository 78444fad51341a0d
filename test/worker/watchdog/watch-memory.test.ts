import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createWatchBuffer,
  WatchedSide,
  WatchingSide,
} from '../../../src/worker/watchdog/watch-memory.ts';

function pair(): { watched: WatchedSide; watching: WatchingSide } {
  const buffer = createWatchBuffer();
  return { watched: new WatchedSide(buffer), watching: new WatchingSide(buffer) };
}

describe('the memory that a worker and its watchdog share', () => {
  it('says that too many ticks were missed only beyond the limit, and a beat clears them', () => {
    const { watched, watching } = pair();
    watched.setLimit(3);
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(
        [1, 2, 3].map(() => watching.missesTooMany()),
        [false, false, false],
      );
      if (round === 0) watched.beat();
    }
    assert.equal(watching.missesTooMany(), true);
  });

  it('counts nothing while a debugger is attached', () => {
    const { watched, watching } = pair();
    watched.setLimit(1);
    watched.setInspected(true);
    for (let tick = 0; tick < 10; tick++) assert.equal(watching.missesTooMany(), false);
    watched.setInspected(false);
    assert.equal(watching.missesTooMany(), false);
    assert.equal(watching.missesTooMany(), true);
  });

  it('names the call that runs, by any name, and none between calls', () => {
    const { watched, watching } = pair();
    assert.equal(watching.running(), null);
    const calls = [
      ['hello', 'hello'],
      ['été', 'ünï"\n'],
      ['hello', 'other'],
      ['hello', 'hello'],
    ] as const;
    for (const [plugin, name] of calls) {
      watched.begin(plugin, name);
      assert.deepEqual(watching.running(), { plugin, function: name });
      watched.end();
      assert.equal(watching.running(), null);
    }
  });

  it('has no name for a call once its memory is full, and still has the earlier ones', () => {
    const { watched, watching } = pair();
    watched.begin('first', 'f');
    for (let index = 0; index < 3000; index++) watched.begin(`plugin-${index}`, 'f'.repeat(40));
    assert.equal(watching.running(), null);
    watched.begin('first', 'f');
    assert.deepEqual(watching.running(), { plugin: 'first', function: 'f' });
  });

  it('wakes the watchdog at once when the watch is over', () => {
    const { watched, watching } = pair();
    assert.equal(watching.sleep(1), true);
    watched.stop();
    assert.equal(watching.sleep(60_000), false);
  });
});
