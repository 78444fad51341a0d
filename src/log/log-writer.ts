/** Where log lines go; both kinds hold back a bounded number of bytes and count what is beyond. */
export interface LogWriter {
  /** Lines that could not be written since the start. */
  readonly droppedLines: number;
  /** Takes one line, with its line break, at once; never throws. */
  write(line: string): void;
  /** Resolves when nothing is held back, at the latest after `deadlineMs`. */
  flush(deadlineMs: number): Promise<void>;
}

/** Held back for a reader that stands still, before lines are dropped. */
export const MAX_HELD_BYTES: number = 1024 * 1024;

const POLL_MS = 10;

/** Polls until the probe is true, at the latest until the deadline. */
export async function waitUntil(isDone: () => boolean, deadlineMs: number): Promise<void> {
  const startedAt = performance.now();
  while (!isDone() && performance.now() - startedAt < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
