/**
 * When a dead worker of one slot is started again: at once if it had served for a while, else
 * with a growing pause, so that a crash at start never spins. It also knows when a slot restarts
 * so often that readiness has to say so.
 */

/** A worker that served this long is taken for healthy. */
export const HEALTHY_MS = 1000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;
const STORM_WINDOW_MS = 60_000;
/** More than this many restarts within the window are a storm. */
const STORM_RESTARTS = 10;

export class RestartPolicy {
  readonly #clock: () => number;
  #pauseMs = 0;
  /** The latest ones, oldest first; no more than are needed to tell a storm. */
  #restarts: number[] = [];

  /** `clock` in ms, monotonic. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** `servedMs`: how long the dead worker had been ready, 0 if it never was. Returns the pause in ms. */
  pauseAfter(servedMs: number): number {
    this.#restarts = [...this.#restarts, this.#clock()].slice(-(STORM_RESTARTS + 1));
    if (servedMs >= HEALTHY_MS) this.#pauseMs = 0;
    else if (this.#pauseMs === 0) this.#pauseMs = FIRST_PAUSE_MS;
    else this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    return this.#pauseMs;
  }

  /** Whether there were more than 10 restarts in the last minute. */
  get isStorm(): boolean {
    const oldest = this.#restarts[0];
    if (oldest === undefined || this.#restarts.length <= STORM_RESTARTS) return false;
    return this.#clock() - oldest < STORM_WINDOW_MS;
  }

  /** Another configuration: what happened on the one before says nothing about it. */
  reset(): void {
    this.#pauseMs = 0;
    this.#restarts = [];
  }
}
