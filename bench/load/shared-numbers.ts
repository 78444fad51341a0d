/** The two figures that all threads count together: which number is next, and how many requests are left. */

export type NumbersMemory = Int32Array<SharedArrayBuffer>;

const NEXT = 0;
const LEFT = 1;

export function createNumbersMemory(): NumbersMemory {
  return new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
}

export class SharedNumbers {
  readonly #memory: NumbersMemory;

  constructor(memory: NumbersMemory) {
    this.#memory = memory;
  }

  /** From 0. */
  next(): number {
    return Atomics.add(this.#memory, NEXT, 1) >>> 0;
  }

  /** Before a phase with a number of requests. */
  allow(requests: number): void {
    Atomics.store(this.#memory, LEFT, requests);
  }

  /** False when none is left. */
  takeOne(): boolean {
    return Atomics.sub(this.#memory, LEFT, 1) > 0;
  }
}
