import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { Lock, type LockRefusal, type Ticket } from '../../src/lock/lock.ts';

/** One arrival: how many event-loop turns its job takes (0: synchronous), and whether its client leaves. */
const arrival = fc.record({
  turns: fc.integer({ min: 0, max: 3 }),
  leaves: fc.boolean(),
  gap: fc.integer({ min: 0, max: 2 }),
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('settles each job once, in order, with never more holders than permits', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arrival, { maxLength: 40 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 0, max: 10 }),
      async (arrivals, permits, maxWaiters) => {
        const held = new Set<number>();
        const started: number[] = [];
        const settled = new Map<number, LockRefusal | 'ran'>();
        const settle = (index: number, how: LockRefusal | 'ran'): void => {
          assert.ok(!settled.has(index), `job ${index} settled twice`);
          settled.set(index, how);
        };
        const lock = new Lock<number>({
          permits: Array.from({ length: permits }, (_, index) => index),
          maxWaiters,
          waitMs: 60_000,
          drainBudgetMs: 0.01,
          clock: () => performance.now(),
          observer: { acquired() {}, released() {}, refused() {} },
        });
        const tickets: Ticket[] = [];
        for (const [index, { turns, leaves, gap }] of arrivals.entries()) {
          tickets[index] = lock.submit({
            run: (permit) => {
              assert.ok(!held.has(permit), `permit ${permit} held twice`);
              held.add(permit);
              started.push(index);
              const end = (): void => {
                held.delete(permit);
                settle(index, 'ran');
              };
              if (turns === 0) {
                end();
                return undefined;
              }
              return (async () => {
                for (let count = 0; count < turns; count++) await turn();
                end();
              })();
            },
            released: () => assert.ok(settled.has(index)),
            refuse: (code) => settle(index, code),
          });
          for (let count = 0; count < gap; count++) await turn();
          const leaver = Math.floor(index / 2);
          if (leaves) tickets[leaver]?.cancel();
        }
        await lock.idle();
        await turn();
        assert.equal(settled.size, arrivals.length);
        assert.deepEqual(
          started,
          [...started].sort((a, b) => a - b),
        );
        assert.equal(lock.waiting + lock.running + held.size, 0);
      },
    ),
    { numRuns: 200 },
  );
});
