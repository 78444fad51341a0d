/**
 * The watchdog's thread: sleeps, counts, and kills its own process when the main thread hangs, or
 * when the primary is gone and the process is still there. Started by watchdog.ts, and small: every
 * worker pays for it.
 */
import { workerData } from 'node:worker_threads';
import { type LastWordsOptions, sayHung, sayOrphaned } from './last-words.ts';
import { WatchingSide } from './watch-memory.ts';

/** What watchdog.ts hands over. */
export interface WatchdogThreadData {
  readonly buffer: SharedArrayBuffer;
  readonly tickMs: number;
  /** Parent of a worker; null: nobody's worker. */
  readonly parentPid: number | null;
  /** Ticks that a worker whose primary is gone has to leave by itself. */
  readonly orphanTicks: number;
  readonly lastWords: LastWordsOptions;
}

const { buffer, tickMs, parentPid, orphanTicks, lastWords } = workerData as WatchdogThreadData;
const memory = new WatchingSide(buffer);
let orphaned = 0;

while (memory.sleep(tickMs)) {
  if (memory.missesTooMany()) {
    await sayHung(lastWords, memory.running(), memory.limit() * tickMs);
    process.kill(process.pid, 'SIGKILL');
  }
  // A process whose parent ends is given another one.
  if (parentPid !== null && process.ppid !== parentPid) orphaned++;
  if (orphaned > orphanTicks) {
    await sayOrphaned(lastWords);
    process.kill(process.pid, 'SIGKILL');
  }
}
