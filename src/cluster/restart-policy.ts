/**
 * When a dead worker of one slot is started again: at once if it had served for a while, else
 * with a growing pause, so that a crash at start never spins.
 */

/** A worker that served this long is taken for healthy. */
const HEALTHY_MS = 1000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;

export class RestartPolicy {
  #pauseMs = 0;

  /** `servedMs`: how long the dead worker had been ready, 0 if it never was. Returns the pause in ms. */
  pauseAfter(servedMs: number): number {
    if (servedMs >= HEALTHY_MS) this.#pauseMs = 0;
    else if (this.#pauseMs === 0) this.#pauseMs = FIRST_PAUSE_MS;
    else this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    return this.#pauseMs;
  }
}
