/** Entry of a thread that sends: an engine that runs the phases it is told, one after the other. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { LiveCounters, type LiveMemory } from './live-counters.ts';
import { LoadEngine } from './load-engine.ts';
import type { LoadOptions } from './load-options.ts';
import type { PhaseOrder } from './phase.ts';
import type { PhaseRecord } from './recorder.ts';
import { type NumbersMemory, SharedNumbers } from './shared-numbers.ts';

export interface ThreadData {
  readonly load: LoadOptions;
  readonly thread: number;
  readonly numbers: NumbersMemory;
  readonly live: LiveMemory;
}

export type ThreadOrder =
  | { readonly kind: 'run'; readonly order: PhaseOrder }
  /** End the phase with what there is. */
  | { readonly kind: 'stop' }
  /** Leave. */
  | { readonly kind: 'end' }
  /** Where the ticker's messages come from. */
  | { readonly kind: 'ticks'; readonly port: MessagePort };

/** `null` says that the thread is ready. */
export type ThreadReport = PhaseRecord | null;

const { load, thread, numbers, live } = workerData as ThreadData;
const engine = new LoadEngine({
  load,
  thread,
  numbers: new SharedNumbers(numbers),
  live: new LiveCounters(live),
});

parentPort?.on('message', async (message: ThreadOrder) => {
  if (message.kind === 'end') {
    engine.close();
    process.exit();
  }
  if (message.kind === 'stop') engine.close();
  else if (message.kind === 'ticks') message.port.on('message', () => engine.tick());
  else parentPort?.postMessage((await engine.run(message.order)) satisfies ThreadReport);
});
parentPort?.postMessage(null satisfies ThreadReport);
