/** The order of steps in which a wake-up could be lost, played by hand: this test is the thread. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import {
  createCallBuffer,
  openCallMemory,
  takeSleep,
  WORD,
} from '../../../src/plugin/thread/call-memory.ts';
import { CallerSide } from '../../../src/plugin/thread/caller-side.ts';

const REQUEST = {
  operation: 0,
  input: new Uint8Array(0),
  hostContext: undefined,
  restores: false,
};

function start(t: TestContext) {
  const { port1, port2 } = new MessageChannel();
  // The caller's own port keeps no process.
  const alive = setInterval(() => {}, 1000);
  t.after(() => {
    clearInterval(alive);
    port1.close();
  });
  const buffer = createCallBuffer();
  const { words } = openCallMemory(buffer);
  const caller = new CallerSide(buffer, port1, () => {});
  return {
    words,
    caller,
    port: port2,
    ask: (): Promise<Uint8Array> => Promise.resolve(caller.ask(REQUEST)),
    /** Tells the reply, and does not look yet whether anybody sleeps. */
    answer: () => Atomics.add(words, WORD.answered, 1),
    wakeIfAsleep: (): boolean => {
      const sleeps = takeSleep(words, WORD.callerSleeps);
      if (sleeps) port2.postMessage(null);
      return sleeps;
    },
  };
}

/** Every message posted so far was taken. */
const settled = (): Promise<void> =>
  new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('the caller of a thread', () => {
  // Seen failing with a caller that says only once for each request that it sleeps: the wake-up that
  // the first reply was late with takes away what the second needs.
  it('is woken though the wake-up before came late', async (t) => {
    const { caller, ask, answer, wakeIfAsleep } = start(t);
    const first = ask();
    answer();
    caller.poll();
    await first;
    const second = ask();
    assert.ok(wakeIfAsleep(), 'meant for the first');
    await settled();
    answer();
    assert.ok(wakeIfAsleep(), 'it says that it sleeps');
    await second;
  });

  it('wakes a thread that sleeps, once, and none that is awake', async (t) => {
    const { ask, answer, caller, words, port } = start(t);
    let woken = 0;
    port.on('message', () => woken++);
    t.after(() => port.close());
    for (const [sleeps, expected] of [
      [0, 0],
      [1, 1],
      [0, 1],
      [1, 2],
    ] as const) {
      Atomics.store(words, WORD.calleeSleeps, sleeps);
      const pending = ask();
      await settled();
      assert.equal(woken, expected);
      assert.equal(Atomics.load(words, WORD.calleeSleeps), 0);
      answer();
      caller.poll();
      await pending;
    }
  });

  it('takes what belongs to a reply before it goes on, in whatever order it hears of them', async (t) => {
    const { ask, answer, caller, words, port } = start(t);
    const pending = ask();
    const bytes = new Uint8Array(100_000).fill(7);
    words[WORD.outputLength] = -1;
    port.postMessage({ kind: 'output', bytes });
    Atomics.add(words, WORD.calleePosted, 1);
    answer();
    caller.poll();
    assert.equal((await pending)[99_999], 7);
    // Taken: the event loop finds nothing more.
    port.postMessage(null);
    await settled();
    assert.equal(caller.isWaiting, false);
  });
});
