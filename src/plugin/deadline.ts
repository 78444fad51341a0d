/**
 * The deadline of one instance's running call. The guard asks it whenever the guest's fuel is used
 * up; host functions ask it too. It never throws: an answer of no fuel makes the guest trap, which
 * nothing in the guest can catch.
 */
import { ServerError } from '../errors.ts';
import type { Clock } from '../lock/lock.ts';

/**
 * Units of guest work between two looks at the clock: some 50 us of plain code, and some 10 ms of
 * loads that each wait for memory, against well under 1 us for the look itself. A fifth more where
 * straight code goes on, and on the way back from deep recursion what 15,000 frames have left to do,
 * 500 units each.
 */
const FUEL = 50_000;
/** In place of a time while nobody has looked at the clock. */
const NOT_RUNNING = Number.NEGATIVE_INFINITY;

export class Deadline {
  readonly #clock: Clock;
  #fuels: readonly WebAssembly.Global<number>[] = [];
  #timeoutMs = 0;
  #endsAt = NOT_RUNNING;
  #error: ServerError | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Joins the fuel counters of the instance's modules. */
  attach(fuels: readonly WebAssembly.Global<number>[]): void {
    this.#fuels = fuels;
  }

  /**
   * Begins a call that may take this long. Reading the clock and setting the fuel would cost a small
   * call a quarter of its time, so it starts with the fuel that the last one left, and its time with
   * the first look at it: at most {@link FUEL} units later, or when a host function is called.
   */
  start(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs;
    this.#endsAt = NOT_RUNNING;
    this.#error = null;
  }

  /** Why the call must end, once it must. */
  get error(): ServerError | null {
    return this.#error;
  }

  /** For host functions: whether the guest is about to trap, so that no work is worth beginning. */
  readonly isOver = (): boolean => this.#error !== null;

  get remainingMs(): number {
    const now = this.#clock();
    if (this.#endsAt === NOT_RUNNING) this.#endsAt = now + this.#timeoutMs;
    return Math.max(0, this.#endsAt - now);
  }

  /** The guard's question: fresh fuel, or 0 to end the call. */
  readonly refuel = (): number => {
    this.check();
    return this.#error === null ? FUEL : 0;
  };

  /** For host functions: past the deadline, the guest traps at its next check. */
  readonly check = (): void => {
    if (this.#error === null && this.remainingMs <= 0) {
      this.end(
        new ServerError('CALL_DEADLINE', `the call ran longer than ${this.#timeoutMs} ms`, {
          details: { limit: 'timeoutMs', timeoutMs: this.#timeoutMs },
        }),
      );
    }
  };

  /** Ends the call for another reason; the first one counts. */
  readonly end = (error: ServerError): void => {
    this.#error ??= error;
    for (const fuel of this.#fuels) fuel.value = 0;
  };
}
