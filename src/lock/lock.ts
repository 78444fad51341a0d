/**
 * The lock in front of one plugin: a FIFO of waiters and a fixed number of permits, one for each
 * instance. Nobody runs on arrival: waiters queue, and the queue drains on the next turn of the
 * event loop within a time budget, so that depth and wait are true figures and I/O is not starved.
 * It knows nothing of plugins, HTTP or metrics: a waiter is a job, and an observer is told what happens.
 */
import type { ErrorCode } from '../errors.ts';

/** Milliseconds from any fixed point; must never go back. */
export type Clock = () => number;

/** The longest time that a timer takes; Node takes a longer one for 1 ms. */
export const MAX_TIMER_MS = 2_147_483_647;

/** One job that wants a permit. Exactly one of `run` and `refuse` is called, once, never while `submit` runs. */
export interface Job<Permit> {
  /**
   * Runs with the permit, which is given back when this returns or, if it returns a promise, when
   * that settles. Must not fail.
   */
  run(permit: Permit): undefined | Promise<void>;
  /** After `run`, once the permit was given back: the place for what needs it no more. */
  released(): void;
  /** The permit was not to be had: `QUEUE_FULL`, `WAIT_DEADLINE`, `CLIENT_CLOSED` or `SHUTTING_DOWN`. */
  refuse(code: LockRefusal): void;
}

/** Why a job was not run. */
export type LockRefusal = Extract<
  ErrorCode,
  'QUEUE_FULL' | 'WAIT_DEADLINE' | 'CLIENT_CLOSED' | 'SHUTTING_DOWN'
>;

/** Told of every step; must not throw. Times are in seconds, as metrics want them. */
export interface LockObserver {
  acquired(waitSeconds: number): void;
  released(holdSeconds: number): void;
  refused(code: LockRefusal): void;
}

export interface LockOptions<Permit> {
  /** One permit for each job that may run at a time. */
  readonly permits: readonly Permit[];
  /** Waiters allowed, not counting those that run; one more is refused with `QUEUE_FULL`. */
  readonly maxWaiters: number;
  /** A waiter is refused with `WAIT_DEADLINE` after this long. */
  readonly waitMs: number;
  /** How long one turn may drain before I/O gets its turn. */
  readonly drainBudgetMs: number;
  readonly observer: LockObserver;
  readonly clock: Clock;
}

/** A job's place in the queue. */
export interface Ticket {
  /** Leaves the queue (`CLIENT_CLOSED`). False when the job already runs, ran or was refused. */
  cancel(): boolean;
}

/** A node of the queue's doubly linked list, so that leaving from the middle costs nothing. */
class Waiter<Permit> implements Ticket {
  readonly job: Job<Permit>;
  readonly queuedAt: number;
  readonly #lock: Lock<Permit>;
  previous: Waiter<Permit> | null = null;
  next: Waiter<Permit> | null = null;
  isWaiting = true;

  constructor(lock: Lock<Permit>, job: Job<Permit>, queuedAt: number) {
    this.#lock = lock;
    this.job = job;
    this.queuedAt = queuedAt;
  }

  cancel(): boolean {
    return this.#lock.leave(this);
  }
}

export class Lock<Permit> {
  readonly #options: LockOptions<Permit>;
  readonly #free: Permit[];
  #head: Waiter<Permit> | null = null;
  #tail: Waiter<Permit> | null = null;
  #waiting = 0;
  #drainScheduled = false;
  #turnEndsAt = 0;
  #deadlineTimer: NodeJS.Timeout | null = null;
  #busyMs = 0;
  /** Sum of the start times of the jobs that run now; with their number it gives their time so far. */
  #runningSince = 0;
  #running = 0;
  #isClosed = false;
  #whenIdle: (() => void)[] = [];

  constructor(options: LockOptions<Permit>) {
    this.#options = options;
    this.#free = [...options.permits];
  }

  /** Jobs that wait now. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Jobs that run now. */
  get running(): number {
    return this.#running;
  }

  /** Time that permits were held since the start, those held now included, in seconds. */
  get busySeconds(): number {
    return (this.#busyMs + this.#running * this.#options.clock() - this.#runningSince) / 1000;
  }

  /** Joins the queue. When it is full or closed the job is refused in a microtask. */
  submit(job: Job<Permit>): Ticket {
    const waiter = new Waiter(this, job, this.#options.clock());
    if (this.#isClosed || this.#isFull()) {
      waiter.isWaiting = false;
      const code = this.#isClosed ? 'SHUTTING_DOWN' : 'QUEUE_FULL';
      queueMicrotask(() => this.#refuse(job, code));
      return waiter;
    }
    this.#append(waiter);
    if (this.#free.length > 0) this.#scheduleDrain();
    else this.#armDeadline();
    return waiter;
  }

  /** Takes a waiter out unserved; used by its ticket. */
  leave(waiter: Waiter<Permit>): boolean {
    if (!waiter.isWaiting) return false;
    this.#remove(waiter);
    this.#refuse(waiter.job, 'CLIENT_CLOSED');
    this.#settleIdle();
    return true;
  }

  /** Resolves when nobody waits and nobody runs. Does not keep new jobs out. */
  idle(): Promise<void> {
    if (this.#waiting === 0 && this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Refuses everyone who waits, and everyone to come, with `SHUTTING_DOWN`. Who runs is left to finish. */
  close(): void {
    this.#isClosed = true;
    while (this.#head !== null) {
      const waiter = this.#head;
      this.#remove(waiter);
      this.#refuse(waiter.job, 'SHUTTING_DOWN');
    }
    this.#settleIdle();
  }

  /** A free permit will take the first waiters within this very turn, so they do not count as waiting beyond the limit. */
  #isFull(): boolean {
    return this.#waiting >= this.#options.maxWaiters + this.#free.length;
  }

  #append(waiter: Waiter<Permit>): void {
    waiter.previous = this.#tail;
    if (this.#tail === null) this.#head = waiter;
    else this.#tail.next = waiter;
    this.#tail = waiter;
    this.#waiting++;
  }

  #remove(waiter: Waiter<Permit>): void {
    if (waiter.previous === null) this.#head = waiter.next;
    else waiter.previous.next = waiter.next;
    if (waiter.next === null) this.#tail = waiter.previous;
    else waiter.next.previous = waiter.previous;
    waiter.previous = null;
    waiter.next = null;
    waiter.isWaiting = false;
    this.#waiting--;
  }

  #scheduleDrain(): void {
    if (this.#drainScheduled) return;
    this.#drainScheduled = true;
    setImmediate(this.#startTurn);
  }

  readonly #startTurn = (): void => {
    this.#drainScheduled = false;
    this.#turnEndsAt = this.#options.clock() + this.#options.drainBudgetMs;
    this.#drain();
  };

  /** Grants permits in order of arrival until one of permits, waiters and the turn's time is used up. */
  #drain(): void {
    while (this.#head !== null && this.#free.length > 0) {
      const now = this.#options.clock();
      if (now >= this.#turnEndsAt) {
        this.#scheduleDrain();
        break;
      }
      const waiter = this.#head;
      this.#remove(waiter);
      if (now - waiter.queuedAt >= this.#options.waitMs) this.#refuse(waiter.job, 'WAIT_DEADLINE');
      else this.#grant(waiter, this.#free.pop() as Permit, now);
    }
    this.#armDeadline();
    this.#settleIdle();
  }

  #grant(waiter: Waiter<Permit>, permit: Permit, now: number): void {
    this.#options.observer.acquired((now - waiter.queuedAt) / 1000);
    this.#running++;
    this.#runningSince += now;
    let pending: undefined | Promise<void>;
    try {
      pending = waiter.job.run(permit);
    } catch (error) {
      this.#release(permit, now);
      throw error;
    }
    if (pending === undefined) {
      this.#release(permit, now);
      waiter.job.released();
      return;
    }
    const done = (): void => {
      this.#release(permit, now);
      waiter.job.released();
      this.#resume();
    };
    pending.then(done, done);
  }

  #release(permit: Permit, since: number): void {
    const heldMs = this.#options.clock() - since;
    this.#running--;
    this.#runningSince -= since;
    this.#busyMs += heldMs;
    this.#free.push(permit);
    this.#options.observer.released(heldMs / 1000);
  }

  /** After a job that took longer than its turn: go on at once while the turn has time, else yield to I/O. */
  #resume(): void {
    if (this.#options.clock() < this.#turnEndsAt) this.#drain();
    else this.#scheduleDrain();
    this.#settleIdle();
  }

  #refuse(job: Job<Permit>, code: LockRefusal): void {
    this.#options.observer.refused(code);
    job.refuse(code);
  }

  /** All waiters have the same patience and stand in order, so one timer for the first of them is enough. */
  #armDeadline(): void {
    if (this.#deadlineTimer !== null || this.#head === null) return;
    const remaining = this.#head.queuedAt + this.#options.waitMs - this.#options.clock();
    const delayMs = Math.min(Math.max(1, Math.ceil(remaining)), MAX_TIMER_MS);
    this.#deadlineTimer = setTimeout(this.#expire, delayMs);
    this.#deadlineTimer.unref();
  }

  readonly #expire = (): void => {
    this.#deadlineTimer = null;
    const now = this.#options.clock();
    while (this.#head !== null && now - this.#head.queuedAt >= this.#options.waitMs) {
      const waiter = this.#head;
      this.#remove(waiter);
      this.#refuse(waiter.job, 'WAIT_DEADLINE');
    }
    this.#armDeadline();
    this.#settleIdle();
  };

  #settleIdle(): void {
    if (this.#whenIdle.length === 0 || this.#waiting > 0 || this.#running > 0) return;
    const resolvers = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of resolvers) resolve();
  }
}
