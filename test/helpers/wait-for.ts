/** Waiting without guessing a time: for a condition, under a generous cap that names what was waited for. */

const CAP_MS = 30_000;
const POLL_MS = 10;

/** Polls until the probe returns something other than undefined, false or null. */
export async function waitFor<T>(
  what: string,
  probe: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  capMs: number = CAP_MS,
): Promise<T> {
  const startedAt = performance.now();
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false) return value;
    if (performance.now() - startedAt > capMs) throw new Error(`waited ${capMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
