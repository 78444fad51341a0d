import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LiveColumns, type LiveReading } from '../../src/metrics/live-columns.ts';
import { HISTORY_ROWS, LiveHistory } from '../../src/metrics/live-history.ts';
import { LiveSampler } from '../../src/metrics/live-sampler.ts';

const COLUMNS = new LiveColumns(['ok', 'PLUGIN_ERROR'], [0.001, 0.01]);

function row(values: Readonly<Record<number, number>>): Float64Array {
  const cells = new Float64Array(COLUMNS.count);
  for (const [column, value] of Object.entries(values)) cells[Number(column)] = value;
  return cells;
}

describe('LiveHistory', () => {
  it('gives the rows after a number, with the columns that are not 0', () => {
    const history = new LiveHistory(COLUMNS);
    history.add({ timeMs: 1000, spanMs: 1001, plugins: [row({ 0: 5, 3: 2 }), row({})] });
    history.add({ timeMs: 2000, spanMs: 999, plugins: [row({ 1: 1 }), row({ 0: 9 })] });
    assert.deepEqual(history.since(0), {
      first: 1,
      last: 2,
      rows: ['[1000,1001,[0,5,3,2],[]]', '[2000,999,[1,1],[0,9]]'],
    });
    assert.deepEqual(history.since(1).rows, ['[2000,999,[1,1],[0,9]]']);
    assert.deepEqual(history.since(2), { first: 3, last: 2, rows: [] });
  });

  it('takes a number from the future for that of another process', () => {
    const history = new LiveHistory(COLUMNS);
    history.add({ timeMs: 1000, spanMs: 1000, plugins: [] });
    assert.equal(history.since(77).first, 1);
  });

  it('forgets the oldest row when it is full, and grows no more', () => {
    const history = new LiveHistory(COLUMNS);
    const fill = (rows: number): void => {
      for (let index = 0; index < rows; index++) {
        history.add({ timeMs: index, spanMs: 1000, plugins: [row({ 0: index })] });
      }
    };
    fill(HISTORY_ROWS);
    const { bytes } = history;
    fill(3);
    assert.equal(history.since(0).first, 4);
    assert.equal(history.since(0).last, HISTORY_ROWS + 3);
    assert.equal(history.since(HISTORY_ROWS + 2).rows[0], '[2,1000,[0,2]]');
    assert.equal(history.bytes, bytes);
    // Times, spans, and the one column that ever held something.
    assert.equal(bytes, HISTORY_ROWS * (8 + 4 + 4));
  });

  it('gives a long history in several pieces', () => {
    const history = new LiveHistory(COLUMNS);
    const full = Array.from({ length: 4 }, () => new Float64Array(COLUMNS.count).fill(123_456));
    for (let index = 0; index < HISTORY_ROWS; index++) {
      history.add({ timeMs: index, spanMs: 1000, plugins: full });
    }
    let known = 0;
    let pieces = 0;
    while (known < HISTORY_ROWS) {
      const { first, rows } = history.since(known);
      assert.equal(first, known + 1);
      assert.ok(rows.join().length < 70_000);
      known += rows.length;
      pieces++;
    }
    assert.ok(pieces > 1);
  });
});

describe('LiveSampler', () => {
  it('adds what was counted since the last row, and who waits as it stands', () => {
    const history = new LiveHistory(COLUMNS);
    let now = 0;
    let counted = 10;
    const reading: LiveReading = (target) => {
      target.set(row({ 0: counted, [COLUMNS.busy]: counted * 3, [COLUMNS.waiters]: 4 }));
    };
    const sampler = new LiveSampler({
      history,
      readings: () => [reading],
      wallClock: () => 5000 + now,
      clock: () => now,
    });
    now = 1000;
    sampler.sample();
    now = 2500;
    counted = 17;
    sampler.sample();
    const { busy, waiters } = COLUMNS;
    assert.deepEqual(history.since(0).rows, [
      `[6000,1000,[0,10,${busy},30,${waiters},4]]`,
      `[7500,1500,[0,7,${busy},21,${waiters},4]]`,
    ]);
  });

  it('takes one row for each whole second, also when its timer comes early or late', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 10_300 });
    const history = new LiveHistory(COLUMNS);
    let wallMs = 0;
    const sampler = new LiveSampler({
      history,
      readings: () => [],
      wallClock: () => Date.now() + wallMs,
      clock: () => Date.now(),
    });
    const times = (): number[] =>
      history.since(0).rows.map((text) => (JSON.parse(text) as number[])[0] as number);
    sampler.start();
    t.mock.timers.tick(700);
    assert.deepEqual(times(), [11_000]);
    // A millisecond before the whole second: the next row is a second later, not at once.
    wallMs = -1;
    t.mock.timers.tick(1000);
    assert.deepEqual(times(), [11_000, 11_999]);
    wallMs = 0;
    t.mock.timers.tick(1000);
    assert.deepEqual(times(), [11_000, 11_999]);
    t.mock.timers.tick(1);
    assert.deepEqual(times(), [11_000, 11_999, 13_001]);
    sampler.stop();
    t.mock.timers.tick(5000);
    assert.equal(times().length, 3);
  });
});
