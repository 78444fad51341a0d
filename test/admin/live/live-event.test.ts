import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatCursors, parseCursors } from '../../../src/admin/live/cursors.ts';
import { composeLiveEvent } from '../../../src/admin/live/live-event.ts';
import {
  formatLiveReport,
  type LiveReport,
  parseLiveReport,
} from '../../../src/admin/live/live-report.ts';
import type { LiveRows } from '../../../src/metrics/live-history.ts';
import { ownProcess } from '../fixtures/own-process.ts';

const STATUS = ownProcess({ slot: '1', pid: 7 }).status();

function report(rows: LiveRows): LiveReport {
  return parseLiveReport(formatLiveReport(STATUS, [], rows), '1', 7);
}

function dataOf(text: string): { workers: Record<string, unknown>[] } {
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '') as ReturnType<typeof dataOf>;
}

describe('a live report', () => {
  it('comes back as it was written', () => {
    const event = { kind: 'ready', at: 5, pid: 7, text: '' } as const;
    const rows = ['[1000,1000,[0,5]]', '[2000,1000,[]]'];
    const read = parseLiveReport(
      formatLiveReport(STATUS, [event], { first: 4, last: 9, rows }),
      '1',
      7,
    );
    assert.deepEqual(read.rows, rows);
    assert.deepEqual(read.head, { format: 1, ...STATUS, events: [event], first: 4, last: 9 });
    assert.deepEqual(JSON.parse(read.headText), read.head);
  });

  it('is refused where it is of another process or another version', () => {
    const text = formatLiveReport(STATUS, [], { first: 1, last: 0, rows: [] });
    for (const [broken, pid] of [
      [text, 8],
      [text.replace('"format":1', '"format":2'), 7],
      [text.replace('"first":1', '"first":"1"'), 7],
      ['', 7],
    ] as const) {
      assert.throws(() => parseLiveReport(broken, '1', pid), { code: 'INTERNAL' });
    }
  });
});

describe('a live event', () => {
  const rows = report({ first: 5, last: 7, rows: ['[5]', '[6]', '[7]'] });
  const turn = { timeMs: 99, primaryText: 'null', workers: [rows] };

  it('tells what the viewer has not seen, and how far it is then', () => {
    const event = composeLiveEvent(turn, new Map([[7, 6]]));
    const [worker] = dataOf(event.text).workers;
    assert.equal(worker?.first, 7);
    assert.deepEqual(worker?.rows, [[7]]);
    assert.match(event.text, /^event: turn\nid: 7:7\ndata: .*\n\n$/);
    assert.equal(event.isBehind, false);
  });

  it('tells everything to who has seen nothing, or another process of that id', () => {
    for (const cursors of [new Map(), new Map([[7, 1000]])]) {
      const [worker] = dataOf(composeLiveEvent(turn, cursors).text).workers;
      assert.equal(worker?.first, 5);
      assert.deepEqual(worker?.rows, [[5], [6], [7]]);
    }
  });

  it('says so where more is to come', () => {
    const some = report({ first: 1, last: 900, rows: ['[1]', '[2]'] });
    const event = composeLiveEvent({ ...turn, workers: [some] }, new Map());
    assert.equal(event.isBehind, true);
    assert.deepEqual([...event.cursors], [[7, 2]]);
  });

  it('keeps the place of a silent worker, and forgets who is gone', () => {
    const silent = { slot: '1', pid: 7, state: 'silent' } as const;
    const event = composeLiveEvent(
      { ...turn, workers: [silent] },
      new Map([
        [7, 6],
        [8, 3],
      ]),
    );
    assert.deepEqual([...event.cursors], [[7, 6]]);
    assert.deepEqual(dataOf(event.text).workers, [silent]);
  });
});

describe('cursors', () => {
  it('come back as they were written', () => {
    const cursors = new Map([
      [7, 0],
      [123_456, 900],
    ]);
    assert.deepEqual(parseCursors(formatCursors(cursors)), cursors);
  });

  it('are left out where they cannot be read', () => {
    assert.deepEqual(
      parseCursors('7:1,x:2,8:-1,0:3,9:99999999999999,:,10:4'),
      new Map([
        [7, 1],
        [10, 4],
      ]),
    );
    for (const text of [undefined, '', ['7:1'], ','.repeat(100_000)]) {
      assert.equal(parseCursors(text).size, 0);
    }
  });
});
