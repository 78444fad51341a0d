/**
 * The memory that a plugin's thread shares with the thread that calls it: one request and one reply
 * at a time, with the bytes of both where they fit. Requests and replies are told by counting here;
 * a message only wakes, and only a side that said it sleeps.
 *
 * No wake-up is lost: who falls asleep says so first and then looks at the other's count once more;
 * who has news counts first and then looks whether the other sleeps. Atomics have one order for both.
 */

/** Bytes of a request or a reply that go through shared memory; longer ones go as a message. */
export const RING_BYTES = 65_536;
/** Stands for a length: the bytes are in a message. */
export const IN_MESSAGE = -1;

/**
 * Places of the numbers, by who writes them. The two counts, which the other side may be looking at
 * all the time, have lines of the CPU's caches for themselves (16 words).
 */
export const WORD = {
  /** Caller: requests so far. */
  asked: 0,
  operation: 16,
  inputLength: 17,
  /** Whether the state after initialisation is to be restored before the reply. */
  restores: 18,
  /** Messages with content so far; the other side takes them before it goes on. */
  callerPosted: 19,
  callerSleeps: 20,
  /** Callee: replies so far. */
  answered: 32,
  hasFailed: 48,
  outputLength: 49,
  isPoisoned: 50,
  isRestored: 51,
  guestPages: 52,
  /** Guest and host side, in pages of 64 KiB. */
  memoryPages: 53,
  /** What the last request took. */
  tookUs: 54,
  calleePosted: 55,
  calleeSleeps: 56,
} as const;

/** Operations beside the numbers of the plugin's functions, which begin at 0. */
export const OPERATION = { instantiate: -1, restore: -2, close: -3 } as const;

const WORDS_BYTES = 256;

export interface CallMemory {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly input: Uint8Array<SharedArrayBuffer>;
  readonly output: Uint8Array<SharedArrayBuffer>;
}

/** Whether the other side has to be woken; who asks has told its news before. */
export function takeSleep(words: Int32Array<SharedArrayBuffer>, word: number): boolean {
  // Looking costs less than writing, and as a rule nobody sleeps.
  return Atomics.load(words, word) === 1 && Atomics.exchange(words, word, 0) === 1;
}

export function createCallBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS_BYTES + 2 * RING_BYTES);
}

export function openCallMemory(buffer: SharedArrayBuffer): CallMemory {
  return {
    words: new Int32Array(buffer, 0, WORDS_BYTES / Int32Array.BYTES_PER_ELEMENT),
    input: new Uint8Array(buffer, WORDS_BYTES, RING_BYTES),
    output: new Uint8Array(buffer, WORDS_BYTES + RING_BYTES, RING_BYTES),
  };
}
