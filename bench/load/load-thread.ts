/**
 * Entry of a thread that sends: for each load an engine, which runs the phases it is told. It serves one
 * load after another, so that V8 compiles it once for all of them.
 */
import { type MessagePort, parentPort } from 'node:worker_threads';
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
  | { readonly kind: 'load'; readonly data: ThreadData }
  | { readonly kind: 'run'; readonly order: PhaseOrder }
  /** End the phase with what there is. */
  | { readonly kind: 'stop' }
  /** Close its connections. */
  | { readonly kind: 'end' }
  /** Where the ticker's messages come from. */
  | { readonly kind: 'ticks'; readonly port: MessagePort };

/** `null` says that a load is ready, or closed. */
export type ThreadReport = PhaseRecord | null;

let engine: LoadEngine | null = null;
let ticks: MessagePort | null = null;

parentPort?.on('message', (message: ThreadOrder) => {
  switch (message.kind) {
    case 'load':
      engine = createEngine(message.data);
      return report(null);
    case 'run':
      return void engine?.run(message.order).then(report);
    case 'stop':
      return engine?.close();
    case 'ticks':
      ticks = message.port.on('message', () => engine?.tick());
      return;
    case 'end':
      ticks?.close();
      engine?.close();
      ticks = null;
      engine = null;
      return report(null);
  }
});

function createEngine({ load, thread, numbers, live }: ThreadData): LoadEngine {
  return new LoadEngine({
    load,
    thread,
    numbers: new SharedNumbers(numbers),
    live: new LiveCounters(live),
  });
}

function report(what: ThreadReport): void {
  parentPort?.postMessage(what);
}
