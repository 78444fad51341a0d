/**
 * Memory of closed instances that the engine has not freed yet. V8 lets two of 64 MiB wait before it
 * collects, so that a guest that always takes all it can made a process larger by three times its limit.
 * Here a collection is asked for before a third one grows: 15 ms for what took 60 to write.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Pages of 64 KiB, 48 MiB: less than V8 would let wait, and far more than most plugins leave. */
const MAX_DEAD_PAGES = 768;

/** Of this thread, as its heap. */
let deadPages = 0;
let collect: (() => void) | null = null;

/** An instance of so many pages was closed, and nobody has it any more. */
export function noteDeadPages(pages: number): void {
  deadPages += pages;
}

/** Call it before a memory grows. What is collected is given back by another thread of the engine's. */
export function freeDeadMemory(): void {
  if (deadPages < MAX_DEAD_PAGES) return;
  deadPages = 0;
  collect ??= exposeCollection();
  collect();
}

/** The engine has a function for it, which a new context gets where a flag says so. */
function exposeCollection(): () => void {
  setFlagsFromString('--expose-gc');
  const exposed: unknown = runInNewContext('typeof gc === "function" ? gc : () => {}');
  setFlagsFromString('--no-expose-gc');
  return exposed as () => void;
}
