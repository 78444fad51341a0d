/**
 * Memory of large instances that were closed. V8 lets two of 64 MiB wait before it collects, so that a guest
 * that always takes all it can made a process larger by three times its limit. Here a collection is asked
 * for before the next call: 15 ms on a small heap, for what took a guest 60 to write.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Pages of 64 KiB, 48 MiB: less than V8 would let wait. */
const MAX_DEAD_PAGES = 768;
/** Smaller ones V8 collects in good time. */
const LEAST_PAGES = 100;
/** No more of the thread's time than a third, however many instances callers break and however large the heap. */
const PAUSES = 2;

/** Of this thread, as its heap. V8 may have collected some of them by itself. */
let deadPages = 0;
let nextAt = 0;
let collect: (() => void) | null = null;

/** An instance of so many pages was closed, and nobody has it any more. */
export function noteDeadPages(pages: number): void {
  if (pages >= LEAST_PAGES) deadPages += pages;
}

/** Call it while no guest runs. What is collected is given back by another thread of the engine's. */
export function freeDeadMemory(): void {
  if (deadPages < MAX_DEAD_PAGES) return;
  const startedAt = performance.now();
  if (startedAt < nextAt) return;
  deadPages = 0;
  collect ??= globalThis.gc ?? exposeCollection();
  collect();
  const endedAt = performance.now();
  nextAt = endedAt + (endedAt - startedAt) * PAUSES;
}

/** The engine has a function for it, which a new context gets where a flag says so. */
function exposeCollection(): () => void {
  setFlagsFromString('--expose-gc');
  const exposed: unknown = runInNewContext('typeof gc === "function" ? gc : () => {}');
  setFlagsFromString('--no-expose-gc');
  return exposed as () => void;
}
