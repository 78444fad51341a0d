/**
 * Entry of a thread that wakes the sending ones. Node's own timers have a whole millisecond, which a rate of
 * 10,000 requests a second cannot be paced with; a wait in a thread of its own has some 60 microseconds.
 */
import { type MessagePort, workerData } from 'node:worker_threads';

export interface TickerData {
  readonly ports: readonly MessagePort[];
  readonly everyMs: number;
}

const { ports, everyMs } = workerData as TickerData;
const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
for (;;) {
  Atomics.wait(never, 0, 0, everyMs);
  for (const port of ports) port.postMessage(null);
}
