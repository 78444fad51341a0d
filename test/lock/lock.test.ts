import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Job, Lock, type LockOptions, type LockRefusal } from '../../src/lock/lock.ts';

/** A clock that stands still until it is moved. */
class ManualClock {
  now = 0;
  readonly read = (): number => this.now;
}

interface Told {
  waits: number[];
  holds: number[];
  refusals: LockRefusal[];
}

function createLock(options: Partial<LockOptions<string>> = {}) {
  const clock = new ManualClock();
  const told: Told = { waits: [], holds: [], refusals: [] };
  const lock = new Lock<string>({
    permits: ['a'],
    maxWaiters: 100,
    waitMs: 1000,
    drainBudgetMs: 1000,
    clock: clock.read,
    observer: {
      acquired: (seconds) => told.waits.push(seconds),
      released: (seconds) => told.holds.push(seconds),
      refused: (code) => told.refusals.push(code),
    },
    ...options,
  });
  return { lock, clock, told };
}

/** A job that ends when it is told to. */
class ManualJob implements Job<string> {
  permit: string | null = null;
  refusal: LockRefusal | null = null;
  wasReleased = false;
  readonly started: Promise<void>;
  readonly settled: Promise<void>;
  #start: () => void = () => {};
  #settle: () => void = () => {};
  finish: () => void = () => {};

  constructor() {
    this.started = new Promise((resolve) => {
      this.#start = resolve;
    });
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  run(permit: string): Promise<void> {
    this.permit = permit;
    this.#start();
    return new Promise<void>((resolve) => {
      this.finish = () => {
        resolve();
        this.#settle();
      };
    });
  }

  released(): void {
    this.wasReleased = true;
  }

  refuse(code: LockRefusal): void {
    this.refusal = code;
    this.#settle();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Lock', () => {
  it('runs nobody while submit runs', async () => {
    const { lock } = createLock();
    const job = new ManualJob();
    lock.submit(job);
    assert.equal(job.permit, null);
    assert.equal(lock.waiting, 1);
    await job.started;
    assert.equal(job.permit, 'a');
    assert.equal(lock.waiting, 0);
    assert.equal(lock.running, 1);
    job.finish();
    await lock.idle();
  });

  it('has one holder a permit and serves in order of arrival', async () => {
    const { lock } = createLock();
    const jobs = Array.from({ length: 5 }, () => new ManualJob());
    for (const job of jobs) lock.submit(job);
    for (const [index, job] of jobs.entries()) {
      await job.started;
      assert.deepEqual(
        jobs.map(({ permit }) => permit !== null),
        jobs.map((_, other) => other <= index),
      );
      assert.equal(lock.running, 1);
      job.finish();
    }
    await lock.idle();
  });

  it('runs as many at a time as there are permits', async () => {
    const { lock } = createLock({ permits: ['a', 'b', 'c'] });
    const jobs = Array.from({ length: 4 }, () => new ManualJob());
    for (const job of jobs) lock.submit(job);
    await turn();
    assert.equal(lock.running, 3);
    assert.equal(new Set(jobs.slice(0, 3).map(({ permit }) => permit)).size, 3);
    assert.equal(jobs[3]?.permit, null);
    for (const job of jobs.slice(0, 3)) job.finish();
    await jobs[3]?.started;
    jobs[3]?.finish();
    await lock.idle();
  });

  it('refuses one waiter more than the limit, at once, and goes on', async () => {
    const { lock, told } = createLock({ maxWaiters: 2 });
    const running = new ManualJob();
    lock.submit(running);
    await running.started;
    const waiting = [new ManualJob(), new ManualJob()];
    for (const job of waiting) lock.submit(job);
    const refused = new ManualJob();
    lock.submit(refused);
    await refused.settled;
    assert.equal(refused.refusal, 'QUEUE_FULL');
    assert.deepEqual(told.refusals, ['QUEUE_FULL']);
    running.finish();
    for (const job of waiting) {
      await job.started;
      job.finish();
    }
    await lock.idle();
  });

  it('does not count the waiter that a free permit takes in this turn', async () => {
    const { lock } = createLock({ maxWaiters: 0 });
    const job = new ManualJob();
    const refused = new ManualJob();
    lock.submit(job);
    lock.submit(refused);
    await job.started;
    assert.equal(refused.refusal, 'QUEUE_FULL');
    job.finish();
    await lock.idle();
  });

  it('rejects a waiter when its deadline passes while the holder runs', async () => {
    const { lock, clock } = createLock({ waitMs: 5 });
    const running = new ManualJob();
    lock.submit(running);
    await running.started;
    const late = new ManualJob();
    lock.submit(late);
    clock.now = 5;
    const keepAlive = setInterval(() => {}, 1000);
    await late.settled;
    clearInterval(keepAlive);
    assert.equal(late.refusal, 'WAIT_DEADLINE');
    assert.equal(lock.waiting, 0);
    running.finish();
    await lock.idle();
  });

  it('lets a waiter wait for ever where it may', async (t) => {
    const timers = t.mock.method(globalThis, 'setTimeout');
    const { lock } = createLock({ waitMs: Number.POSITIVE_INFINITY });
    const running = new ManualJob();
    const waiting = new ManualJob();
    lock.submit(running);
    lock.submit(waiting);
    await running.started;
    // More than that Node takes for 1 ms, again and again.
    const delays = timers.mock.calls.map((call) => call.arguments[1]);
    assert.deepEqual(delays, [2 ** 31 - 1]);
    running.finish();
    await waiting.started;
    waiting.finish();
    await lock.idle();
  });

  it('rejects at the grant a waiter whose deadline passed while the loop was blocked', async () => {
    const { lock, clock } = createLock({ waitMs: 1000 });
    const late = new ManualJob();
    lock.submit(late);
    clock.now = 1000;
    await late.settled;
    assert.equal(late.refusal, 'WAIT_DEADLINE');
    assert.equal(late.permit, null);
  });

  it('lets a waiter leave from anywhere in the queue', async () => {
    const { lock, told } = createLock();
    const jobs = Array.from({ length: 4 }, () => new ManualJob());
    const tickets = jobs.map((job) => lock.submit(job));
    assert.equal(tickets[1]?.cancel(), true);
    assert.equal(tickets[3]?.cancel(), true);
    assert.equal(tickets[1]?.cancel(), false);
    assert.equal(lock.waiting, 2);
    for (const index of [0, 2]) {
      await jobs[index]?.started;
      jobs[index]?.finish();
    }
    await lock.idle();
    assert.equal(tickets[0]?.cancel(), false);
    assert.deepEqual(told.refusals, ['CLIENT_CLOSED', 'CLIENT_CLOSED']);
    assert.deepEqual(
      jobs.map(({ permit }) => permit),
      ['a', null, 'a', null],
    );
  });

  it('gives the permit back when a job fails', async () => {
    const { lock } = createLock();
    lock.submit({
      run: () => Promise.reject(new Error('planted')),
      released: () => {},
      refuse: () => {},
    });
    const next = new ManualJob();
    lock.submit(next);
    await next.started;
    next.finish();
    await lock.idle();
  });

  it('tells a job that ran once its permit was given back', async () => {
    const { lock } = createLock();
    const order: string[] = [];
    const job = (name: string, work: () => undefined | Promise<void>): Job<string> => ({
      run: () => {
        order.push(`${name} runs`);
        return work();
      },
      released: () => order.push(`${name} released, ${lock.running} run`),
      refuse: () => {},
    });
    lock.submit(job('sync', () => undefined));
    lock.submit(job('async', () => turn()));
    await lock.idle();
    assert.deepEqual(order, [
      'sync runs',
      'sync released, 0 run',
      'async runs',
      'async released, 0 run',
    ]);
  });

  it('yields to the event loop when a turn has used its time', async () => {
    const { lock, clock } = createLock({ drainBudgetMs: 10 });
    const order: string[] = [];
    for (let index = 0; index < 4; index++) {
      lock.submit({
        run: () => {
          clock.now += 6;
          order.push(`job ${index}`);
          return undefined;
        },
        released: () => {},
        refuse: () => {},
      });
    }
    setImmediate(() => order.push('other'));
    await lock.idle();
    assert.deepEqual(order, ['job 0', 'job 1', 'other', 'job 2', 'job 3']);
  });

  it('tells waits, holds and the time its permits were busy', async () => {
    const { lock, clock, told } = createLock();
    const first = new ManualJob();
    const second = new ManualJob();
    lock.submit(first);
    await first.started;
    lock.submit(second);
    clock.now = 250;
    assert.equal(lock.busySeconds, 0.25);
    first.finish();
    await second.started;
    clock.now = 350;
    second.finish();
    await lock.idle();
    assert.deepEqual(told.waits, [0, 0.25]);
    assert.deepEqual(told.holds, [0.25, 0.1]);
    assert.equal(lock.busySeconds, 0.35);
  });

  it('refuses who waits and who comes once it is closed, and lets the holder finish', async () => {
    const { lock } = createLock();
    const running = new ManualJob();
    lock.submit(running);
    await running.started;
    const waiting = new ManualJob();
    lock.submit(waiting);
    lock.close();
    assert.equal(waiting.refusal, 'SHUTTING_DOWN');
    const late = new ManualJob();
    lock.submit(late);
    await late.settled;
    assert.equal(late.refusal, 'SHUTTING_DOWN');
    running.finish();
    await lock.idle();
  });
});
