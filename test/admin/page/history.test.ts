/** The live page's memory and figures, without a browser. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Cluster } from '../../../src/admin/page/cluster.js';
import { FigureWindow } from '../../../src/admin/page/figure-window.js';
import { readFigures } from '../../../src/admin/page/figures.js';
import { History } from '../../../src/admin/page/history.js';
import type { Turn, WorkerReport } from '../../../src/admin/page/protocol.d.ts';
import { LiveColumns } from '../../../src/metrics/live-columns.ts';

const LAYOUT = { format: 1, rows: 900, outcomes: ['ok', 'PLUGIN_ERROR'], bounds: [0.001, 0.01] };
const ALL = { plugin: '', worker: '' };
const T = 1_700_000_000;

function create(): History {
  return new History(LAYOUT);
}

describe('the history of the page', () => {
  it('has the columns where the workers put them', () => {
    const theirs = new LiveColumns(LAYOUT.outcomes, LAYOUT.bounds);
    const ours = create();
    const { wait, hold, busy, waiters } = ours;
    assert.deepEqual(
      { wait, hold, busy, waiters },
      { wait: theirs.wait, hold: theirs.hold, busy: theirs.busy, waiters: theirs.waiters },
    );
  });

  it('gives rates by the measured span, and nothing where nobody reported', () => {
    const history = create();
    history.add('0', ['a'], [T * 1000, 1000, [0, 10]]);
    history.add('0', ['a'], [(T + 2) * 1000 + 300, 1250, [0, 10, 1, 5]]);
    const { times, throughput, errors } = readFigures(history, { seconds: 3, ...ALL });
    assert.deepEqual(times, [T, T + 1, T + 2]);
    assert.deepEqual(throughput.get('0'), [10, null, 12]);
    assert.deepEqual(errors.get('PLUGIN_ERROR'), [0, null, 4]);
  });

  it('spreads a late row over the seconds it spans, but who waits', () => {
    const history = create();
    history.add('0', ['a'], [T * 1000, 3000, [0, 30, history.waiters, 4]]);
    const { throughput, waiters } = readFigures(history, { seconds: 4, ...ALL });
    assert.deepEqual(throughput.get('0'), [null, 10, 10, 10]);
    assert.deepEqual(waiters, [null, 4, 4, 4]);
    // Longer than that it is a gap.
    history.add('0', ['a'], [(T + 10) * 1000, 10_000, [0, 100]]);
    assert.deepEqual(readFigures(history, { seconds: 4, ...ALL }).throughput.get('0')?.[0], null);
  });

  it('adds up two processes of one slot, and plugins unless one is chosen', () => {
    const history = create();
    history.add('0', ['a', 'b'], [T * 1000, 1000, [0, 10], [0, 3]]);
    history.add('0', ['a', 'b'], [T * 1000, 1000, [0, 5], []]);
    const read = (plugin: string) =>
      readFigures(history, { seconds: 1, plugin, worker: '' }).throughput.get('0');
    assert.deepEqual([read(''), read('a'), read('b')], [[18], [15], [3]]);
  });

  it('sums outcomes over workers, and shows one where it is chosen', () => {
    const history = create();
    for (const slot of ['0', '10', '2']) history.add(slot, ['a'], [T * 1000, 1000, [0, 1, 1, 2]]);
    const all = readFigures(history, { seconds: 1, ...ALL });
    assert.deepEqual([...all.throughput.keys()], ['0', '2', '10']);
    assert.deepEqual(all.errors.get('PLUGIN_ERROR'), [6]);
    const one = readFigures(history, { seconds: 1, plugin: '', worker: '2' });
    assert.deepEqual([...one.throughput.keys()], ['2']);
    assert.deepEqual(one.errors.get('PLUGIN_ERROR'), [2]);
  });

  it('takes quantiles over the buckets of all workers', () => {
    const history = create();
    history.add('0', ['a'], [T * 1000, 1000, [history.wait, 99]]);
    history.add('1', ['a'], [T * 1000, 1000, [history.wait + 1, 1]]);
    const { wait, hold } = readFigures(history, { seconds: 1, ...ALL });
    assert.deepEqual(wait.p99, [0.001]);
    assert.deepEqual(hold.p50, [null]);
  });

  it('forgets what is older than a quarter of an hour, and slots that are no more', () => {
    const history = create();
    history.add('0', ['a'], [T * 1000, 1000, [0, 10]]);
    history.add('1', ['a'], [(T + 899) * 1000, 1000, [0, 1]]);
    assert.equal(readFigures(history, { seconds: 900, ...ALL }).throughput.get('0')?.[0], 10);
    history.add('1', ['a'], [(T + 900) * 1000, 1000, [0, 1]]);
    assert.equal(readFigures(history, { seconds: 900, ...ALL }).throughput.get('0')?.[0], null);
    history.add('0', ['a'], [T * 1000, 1000, [0, 10]]);
    history.prune();
    assert.deepEqual([...history.slots.keys()], ['1']);
    history.advance(T + 5000);
    history.prune();
    assert.equal(history.slots.size, 0);
  });
});

describe('the figures that the charts show', () => {
  it('are those of a whole reading, whatever came late, came new or went by', () => {
    const history = create();
    const figures = new FigureWindow();
    const selection = { seconds: 20, ...ALL };
    for (let second = 0; second < 200; second++) {
      const slots = second > 50 ? ['0', '1', '2'] : ['0', '1'];
      for (const slot of slots) {
        if (slot === '1' && second % 9 > 5) continue;
        const pairs = [0, second, history.wait + (second % 3), 5, history.waiters, 2];
        if (second % 70 === 3) pairs.push(1, 4);
        history.add(slot, ['a'], [(T + second) * 1000, second % 7 === 0 ? 2000 : 1000, pairs]);
      }
      // What a silent worker had to tell.
      if (second % 13 === 12) history.add('1', ['a'], [(T + second - 5) * 1000, 1000, [0, 77]]);
      const { errors, ...got } = figures.read(history, selection);
      const { errors: wantedErrors, ...wanted } = readFigures(history, selection);
      assert.deepEqual(got, wanted, `second ${second}`);
      // An outcome of a while ago may still be there, at 0.
      for (const [outcome, line] of wantedErrors) assert.deepEqual(errors.get(outcome), line);
    }
  });
});

describe('what the page knows of the app', () => {
  const report = (first: number, ...counts: number[]): WorkerReport => ({
    head: {
      slot: '0',
      pid: 7,
      state: 'ready',
      uptimeSeconds: 1,
      version: '',
      events: [],
      plugins: [{ name: 'a' } as WorkerReport['head']['plugins'][number]],
    },
    first,
    rows: counts.map((count, index) => [(T + first + index) * 1000, 1000, [0, count]]),
  });
  const turn = (...workers: Turn['workers']): Turn => ({
    timeMs: (T + 4) * 1000 + 150,
    primary: null,
    workers,
  });

  it('takes no row twice, whoever tells it, and loses none', () => {
    const cluster = new Cluster(LAYOUT);
    cluster.take(turn(report(1, 1, 2)));
    cluster.take(turn({ slot: '0', pid: 7, state: 'silent' }));
    cluster.take(turn(report(1, 1, 2, 3)));
    cluster.take(turn(report(4, 4)));
    const { throughput } = readFigures(cluster.history, { seconds: 4, ...ALL });
    assert.deepEqual(throughput.get('0'), [1, 2, 3, 4]);
  });
});
