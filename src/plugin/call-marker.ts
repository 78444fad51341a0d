/**
 * Told which plugin function holds this thread. The watchdog of worker/ reads it from outside when
 * the thread hangs; plugin/ knows of no watchdog.
 */
export interface CallMarker {
  /** The thread is about to enter the function. Replaces what was told before. */
  begin(plugin: string, functionName: string): void;
  /** The thread is back. */
  end(): void;
}

/** For whoever does not watch. */
export const UNMARKED: CallMarker = { begin() {}, end() {} };
