/** Runs a load in threads of its own and merges what they found. The main thread only looks on. */
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  MessageChannel,
  type MessagePort,
  type TransferListItem,
  Worker,
} from 'node:worker_threads';
import { checkOptions } from './check-options.ts';
import { createLiveMemory, type LiveFigures, readLiveFigures } from './live-counters.ts';
import type { LoadOptions } from './load-options.ts';
import type { LoadResult, Progress } from './load-result.ts';
import type { ThreadData, ThreadOrder, ThreadReport } from './load-thread.ts';
import { mergeRecords } from './merge-records.ts';
import type { PhaseOrder } from './phase.ts';
import { ProgressWatch } from './progress-watch.ts';
import type { PhaseRecord } from './recorder.ts';
import { createNumbersMemory, SharedNumbers } from './shared-numbers.ts';
import type { TickerData } from './ticker-thread.ts';

/** A load that runs, as /metrics sees it. */
export interface LiveLoad {
  readonly targetRate: number | null;
  /** So far, warm-up included; stays readable after the end. */
  read(): LiveFigures;
}

/** A tick costs some microseconds of CPU, and answers send what is due too. */
const LEAST_TICK_MS = 0.25;
/** Threads that sent a load before, and are warm. */
const idle: Worker[] = [];

/**
 * Resolves when every measured request has its answer, failed, or ran into its time-out; with what there is
 * when `signal` aborts. `onProgress` is called twice a second, `onStart` once before anything is sent.
 * @throws BadOptions (a TypeError) for options that exclude each other or a URL that is not this machine's, before anything is sent.
 */
export async function runLoad(
  options: LoadOptions,
  onProgress?: (progress: Progress) => void,
  signal?: AbortSignal,
  onStart?: (live: LiveLoad) => void,
): Promise<LoadResult> {
  checkOptions(options);
  const memories = Array.from({ length: options.threads }, createLiveMemory);
  const numbers = createNumbersMemory();
  const threads = memories.map((live, thread) => {
    const worker = takeThread();
    const data: ThreadData = { load: options, thread, numbers, live };
    worker.postMessage({ kind: 'load', data } satisfies ThreadOrder);
    return worker;
  });
  const ticker = options.rate === null ? null : startTicker(threads, options.rate);
  const tell = (order: ThreadOrder): void => {
    for (const thread of threads) thread.postMessage(order);
  };
  const abort = (): void => tell({ kind: 'stop' });
  const read = (): LiveFigures => readLiveFigures(memories);
  const watch = new ProgressWatch({ options, read, onProgress });
  try {
    await reports(threads);
    onStart?.({ targetRate: options.rate, read });
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted === true) abort();
    const run = async (order: PhaseOrder): Promise<PhaseRecord[]> => {
      if (order.requests !== null) new SharedNumbers(numbers).allow(order.requests);
      tell({ kind: 'run', order });
      return (await reports(threads)) as PhaseRecord[];
    };
    watch.begin('warm-up');
    const { warmUpMs, durationMs, requests } = options;
    const warmUp = warmUpMs === 0 ? [] : await run({ durationMs: warmUpMs, requests: null });
    watch.begin('measure');
    const startedAt = performance.now();
    const measured = await run({ durationMs, requests });
    const elapsedMs = performance.now() - startedAt;
    const isCut = signal?.aborted === true && (requests !== null || elapsedMs < durationMs);
    // Each closes its connections, so that the last figures say none is open.
    tell({ kind: 'end' });
    await reports(threads);
    giveBack(threads);
    return mergeRecords({ options, warmUp, measured, abortedAfterMs: isCut ? elapsedMs : null });
  } finally {
    watch.stop();
    signal?.removeEventListener('abort', abort);
    await ticker?.terminate();
    // After a fault they are in a state that nobody knows.
    const broken = threads.filter((thread) => !idle.includes(thread));
    await Promise.all(broken.map((thread) => thread.terminate()));
  }
}

function takeThread(): Worker {
  const thread = idle.pop();
  if (thread === undefined) return startThread('load-thread', {});
  thread.ref();
  return thread;
}

function giveBack(threads: readonly Worker[]): void {
  for (const thread of threads) thread.unref();
  idle.push(...threads);
}

function startThread(name: string, data: object, transferList: TransferListItem[] = []): Worker {
  // Compiled, as the bench runs it, or as it stands here.
  const file = new URL(name + path.extname(import.meta.url), import.meta.url).href;
  return new Worker(fileURLToPath(new URL('thread.js', import.meta.url)), {
    workerData: { ...data, file },
    transferList,
    // Its entry loads what it needs for TypeScript itself; what this process was started with would do it twice.
    execArgv: [],
  });
}

function startTicker(threads: readonly Worker[], rate: number): Worker {
  const ports: MessagePort[] = threads.map((thread) => {
    const { port1, port2 } = new MessageChannel();
    thread.postMessage({ kind: 'ticks', port: port1 } satisfies ThreadOrder, [port1]);
    return port2;
  });
  const everyMs = Math.max(LEAST_TICK_MS, 1000 / rate / 4);
  const ticker = startThread('ticker-thread', { ports, everyMs } satisfies TickerData, ports);
  // One that fails leaves the engine's own timer.
  ticker.on('error', () => {});
  return ticker;
}

/** One message of each thread. @throws what a thread threw. */
function reports(threads: readonly Worker[]): Promise<ThreadReport[]> {
  return Promise.all(
    threads.map(async (thread) => {
      const [report] = (await once(thread, 'message')) as [ThreadReport];
      return report;
    }),
  );
}
