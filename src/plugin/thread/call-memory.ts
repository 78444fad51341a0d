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

/** Places of the numbers, by who writes them. */
export const WORD = {
  /** Caller: requests so far. */
  asked: 0,
  operation: 1,
  inputLength: 2,
  /** Whether the state after initialisation is to be restored before the reply. */
  restores: 3,
  /** Messages with content so far; the other side takes them before it goes on. */
  callerPosted: 4,
  callerSleeps: 5,
  /** Callee: replies so far. Far from the caller's words, for the CPU's caches. */
  answered: 32,
  hasFailed: 33,
  outputLength: 34,
  isPoisoned: 35,
  isRestored: 36,
  guestPages: 37,
  /** Guest and host side, in pages of 64 KiB. */
  memoryPages: 38,
  /** What the last request took. */
  tookUs: 39,
  calleePosted: 40,
  calleeSleeps: 41,
} as const;

/** Operations beside the numbers of the plugin's functions, which begin at 0. */
export const OPERATION = { instantiate: -1, restore: -2, close: -3 } as const;

const WORDS_BYTES = 256;

export interface CallMemory {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly input: Uint8Array<SharedArrayBuffer>;
  readonly output: Uint8Array<SharedArrayBuffer>;
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
