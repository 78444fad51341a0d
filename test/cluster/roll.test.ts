import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HEALTHY_MS } from '../../src/cluster/restart-policy.ts';
import { roll } from '../../src/cluster/roll.ts';
import type { WorkerSlot } from '../../src/cluster/worker-slot.ts';
import type { Accepted } from '../../src/config/accepted-config.ts';

const log = { error() {} } as never;

function accepted(hash: string, workers: number): Accepted {
  return { hash, config: { workers } } as unknown as Accepted;
}

/** Slots that write down what is done with them; one of them refuses a configuration. */
function setUp(options: {
  before: number;
  after: number;
  failsAt?: number;
  diesAt?: number;
  stopsAt?: number | 'retire' | 'failure';
}) {
  const events: string[] = [];
  const lost: number[] = [];
  const proven: number[] = [];
  let replaced = 0;
  let hasFailed = false;
  const create = (slot: number): WorkerSlot => {
    const fake = {
      draining: 0,
      diedOf: null as string | null,
      replace: async ({ hash }: Accepted, provenMs = 0) => {
        if (hash === 'new' && slot === options.failsAt) {
          hasFailed = true;
          throw new Error('bad plugin');
        }
        replaced++;
        events.push(`${slot} ${hash}`);
        proven.push(provenMs);
        if (hash === 'new' && slot === options.diesAt) fake.diedOf = 'exit code 1';
      },
      prefer: () => {},
      stop: async (word: string) => {
        events.push(`${slot} ${word}`);
        await new Promise((resolve) => setImmediate(resolve));
        if (!slots.includes(fake as unknown as WorkerSlot)) lost.push(slot);
      },
      drained: async () => {},
    };
    return fake as unknown as WorkerSlot;
  };
  const slots = Array.from({ length: options.before }, (_, slot) => create(slot));
  const done = roll({
    slots,
    createSlot: create,
    previous: accepted('old', options.before),
    next: accepted('new', options.after),
    isStopping: () => {
      const { stopsAt = Number.POSITIVE_INFINITY } = options;
      if (stopsAt === 'failure') return hasFailed;
      if (stopsAt === 'retire') return events.some((event) => event.endsWith('retire'));
      return replaced >= stopsAt;
    },
    log,
  });
  return { slots, events, lost, proven, done };
}

describe('roll', () => {
  it('replaces slot by slot', async () => {
    const { events, done } = setUp({ before: 3, after: 3 });
    await done;
    assert.deepEqual(events, ['0 new', '1 new', '2 new']);
  });

  it('adds slots after those there were, and stops superfluous ones last', async () => {
    const up = setUp({ before: 1, after: 3 });
    await up.done;
    assert.deepEqual([up.events, up.slots.length], [['0 new', '1 new', '2 new'], 3]);
    const down = setUp({ before: 3, after: 1 });
    await down.done;
    assert.deepEqual([down.events, down.slots.length], [['0 new', '1 retire', '2 retire'], 1]);
  });

  it('changes nothing when the first new worker fails', async () => {
    const { events, done, slots } = setUp({ before: 2, after: 4, failsAt: 0 });
    await assert.rejects(done, /bad plugin/);
    assert.deepEqual([events, slots.length], [[], 2]);
  });

  // Seen failing with `goBack` left out.
  it('goes back when a later one fails, and takes the added ones away', async () => {
    const { events, done, slots } = setUp({ before: 2, after: 4, failsAt: 3 });
    await assert.rejects(done, /bad plugin/);
    assert.deepEqual(events, ['0 new', '1 new', '2 new', '2 retire', '3 retire', '0 old', '1 old']);
    assert.equal(slots.length, 2);
  });

  it('lets the first new worker alone serve for a while before an old one goes', async () => {
    const { proven, done } = setUp({ before: 2, after: 3 });
    await done;
    assert.deepEqual(proven, [HEALTHY_MS, 0, 0]);
  });

  // Seen failing with deaths not looked at: `0 new, 1 new, 2 new`, done.
  for (const [diesAt, expected] of [
    [0, ['0 new', '0 old']],
    [1, ['0 new', '1 new', '0 old', '1 old']],
    [2, ['0 new', '1 new', '2 new', '2 retire', '0 old', '1 old']],
  ] as const) {
    it(`goes back when a worker dies that was ready, in slot ${diesAt}`, async () => {
      const { events, done } = setUp({ before: 2, after: 3, diesAt });
      await assert.rejects(done, /died: exit code 1/);
      assert.deepEqual(events, expected);
    });
  }

  // Seen failing with the slots taken out of the list first: the primary ended before their workers.
  it('keeps slots that go away in sight until their workers are gone', async () => {
    const down = setUp({ before: 3, after: 1 });
    await down.done;
    const back = setUp({ before: 1, after: 3, failsAt: 2 });
    await assert.rejects(back.done, /bad plugin/);
    assert.deepEqual([down.events.at(-1), back.events.at(-2)], ['2 retire', '2 retire']);
    assert.deepEqual([down.lost, back.lost], [[], []]);
  });

  it('gives no new worker to a slot while it goes back when the server stops meanwhile', async () => {
    const { events, done } = setUp({ before: 1, after: 2, failsAt: 1, stopsAt: 'retire' });
    await assert.rejects(done, /bad plugin/);
    assert.deepEqual(events, ['0 new', '1 retire']);
  });

  it('ends without going back when the server stops', async () => {
    const { events, done } = setUp({ before: 3, after: 3, stopsAt: 1 });
    await assert.rejects(done, { code: 'SHUTTING_DOWN' });
    assert.deepEqual(events, ['0 new']);
  });

  // Seen failing with the end of a worker that was told to leave for the reason.
  it('does not blame a worker that goes because the server stops', async () => {
    const { events, done } = setUp({ before: 2, after: 2, failsAt: 1, stopsAt: 'failure' });
    await assert.rejects(done, { code: 'SHUTTING_DOWN' });
    assert.deepEqual(events, ['0 new']);
  });
});
