/**
 * Waiting awake for a word of the shared memory, which costs less than two wake-ups where the other
 * side runs at the same time. Where it often does not (a busy machine), it is tried ever more rarely.
 */
import { availableParallelism } from 'node:os';

/** Either side needs a CPU. */
const CAN_SPIN = availableParallelism() > 1;
const LOOKS_PER_CLOCK = 100;
/** Waits left out after many in vain. */
const MOST_SKIPPED = 255;

export class Spin {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #word: number;
  readonly #isReached: (value: number) => boolean;
  readonly #spinMs: number;
  #penalty = 0;
  #skips = 0;

  constructor(
    words: Int32Array<SharedArrayBuffer>,
    word: number,
    isReached: (value: number) => boolean,
    spinMs: number,
  ) {
    this.#words = words;
    this.#word = word;
    this.#isReached = isReached;
    this.#spinMs = spinMs;
  }

  /** True when the word is what is waited for. */
  wait(): boolean {
    if (!CAN_SPIN) return false;
    if (this.#skips > 0) {
      this.#skips--;
      return false;
    }
    const isReached = this.#spin();
    this.#penalty = isReached ? 0 : Math.min(this.#penalty * 2 + 1, MOST_SKIPPED);
    this.#skips = this.#penalty;
    return isReached;
  }

  #spin(): boolean {
    // As a rule it comes before the clock would be worth a look.
    if (this.#look()) return true;
    const endsAt = performance.now() + this.#spinMs;
    do {
      if (this.#look()) return true;
    } while (performance.now() < endsAt);
    return false;
  }

  #look(): boolean {
    for (let looks = 0; looks < LOOKS_PER_CLOCK; looks++) {
      if (this.#isReached(Atomics.load(this.#words, this.#word))) return true;
    }
    return false;
  }
}
