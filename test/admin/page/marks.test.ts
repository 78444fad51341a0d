import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Marks } from '../../../src/admin/page/marks.js';
import type { LifeEvent, PrimaryStatus, Turn } from '../../../src/admin/page/protocol.d.ts';

const AT = 1_700_000_000_000;
const ROLL = {
  id: '3',
  state: 'running' as const,
  trigger: 'reload',
  startedAt: new Date(AT).toISOString(),
  durationMs: null,
  reason: null,
};

function worker(state: string, events: LifeEvent[] = [], pid = 7): Turn['workers'][number] {
  const head = { slot: '0', pid, state, uptimeSeconds: 1, version: '', plugins: [], events };
  return { head, first: 1, rows: [] };
}

function turn(workers: Turn['workers'], primary: Partial<PrimaryStatus> | null = null): Turn {
  const whole = { pid: 1, origin: '', listen: '', expectedWorkers: 1, notReady: [], rolls: [] };
  return { timeMs: AT, primary: primary === null ? null : { ...whole, ...primary }, workers };
}

const texts = (marks: { text: string }[]): string[] => marks.map(({ text }) => text);

describe('the marks of the page', () => {
  it('tell each event of a worker once, in order', () => {
    const marks = new Marks();
    const events: LifeEvent[] = [
      { kind: 'hang', at: AT - 9, pid: 6, text: 'in a.b' },
      { kind: 'ready', at: AT - 1, pid: 7, text: '' },
      { kind: 'started', at: AT - 5, pid: 7, text: '' },
    ];
    assert.equal(marks.add(turn([worker('ready', events)]), 0).length, 3);
    assert.equal(marks.add(turn([worker('ready', events)]), 0).length, 0);
    assert.deepEqual(texts(marks.list), [
      'worker 0 hung in a.b and was killed (pid 6)',
      'worker 0 started (pid 7)',
      'worker 0 is ready (pid 7)',
    ]);
    assert.equal(marks.list[0]?.tone, 'trouble');
  });

  it('tell how a roll began and ended', () => {
    const marks = new Marks();
    marks.add(turn([], { rolls: [ROLL] }), 0);
    assert.equal(marks.list[0]?.endMs, null);
    const failed = { ...ROLL, state: 'failed' as const, durationMs: 1500, reason: 'no such file' };
    marks.add(turn([], { rolls: [failed] }), 0);
    assert.deepEqual(texts(marks.list), [
      'roll 3 began (reload)',
      'roll 3 failed after 1.5 s: no such file',
    ]);
    assert.deepEqual(
      marks.list.map(({ atMs, tone }) => [atMs, tone]),
      [
        [AT, 'failed-roll'],
        [AT + 1500, 'failed-roll'],
      ],
    );
    assert.equal(marks.list[0]?.endMs, AT + 1500);
  });

  it('tell a death with its reason, and leave it to the primary who has one', () => {
    const death = { slot: '0', pid: 7, at: new Date(AT).toISOString(), text: 'ended by SIGKILL' };
    const marks = new Marks();
    marks.add(turn([worker('ready')], {}), 0);
    // The primary hears of it later than the worker's socket is gone.
    marks.add(turn([], {}), 0);
    marks.add(turn([], { deaths: [death] }), 0);
    marks.add(turn([], { deaths: [death] }), 0);
    assert.deepEqual(texts(marks.list), ['worker 0 restarted: ended by SIGKILL (pid 7)']);
  });

  it('see who closed and who is silent, where nobody tells', () => {
    const marks = new Marks();
    const silent = (pid: number) => ({ slot: '1', pid, state: 'silent' as const });
    marks.add(turn([worker('draining'), worker('ready', [], 8), worker('starting', [], 9)]), 0);
    marks.add(turn([silent(8), silent(9), silent(10)]), 0);
    marks.add(turn([silent(8), silent(9), silent(10)]), 0);
    assert.deepEqual(texts(marks.list), [
      'worker 1 does not answer (pid 8)',
      'worker 0 closed (pid 7)',
    ]);
  });

  it('forget what is older than the history, and are never more than 500', () => {
    const marks = new Marks();
    const events = Array.from(
      { length: 600 },
      (_one, index): LifeEvent => ({
        kind: 'ready',
        at: AT + index,
        pid: index,
        text: '',
      }),
    );
    marks.add(turn([worker('ready', events)]), AT + 10);
    assert.equal(marks.list.length, 500);
    assert.equal(marks.list[0]?.atMs, AT + 100);
    marks.add(turn([worker('ready')]), AT + 300);
    assert.equal(marks.list[0]?.atMs, AT + 300);
  });
});
