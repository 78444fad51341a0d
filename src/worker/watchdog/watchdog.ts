/**
 * Starts the watchdog of this process: a thread that ends the process when the event loop hangs,
 * which nobody else would notice, or when the primary is gone and the process hangs on.
 * Off while a debugger is attached or could be.
 */
import { Worker } from 'node:worker_threads';
import type { Logger } from '../../log.ts';
import type { CallMarker } from '../../plugin/call-marker.ts';
import { createWatchBuffer, WatchedSide } from './watch-memory.ts';
import type { WatchdogThreadData } from './watchdog-thread.ts';

export interface WatchdogOptions {
  /** The event loop may hang this long. */
  readonly limitMs: number;
  readonly slot: string;
  /** Where hangs are counted. */
  readonly runDir: string;
  /** The parent, which this process must not outlive; its own pid: it is nobody's worker. */
  readonly primaryPid: number;
  /** File where pm2 keeps the app's errors, or null. */
  readonly errorLog: string | null;
  readonly log: Pick<Logger, 'error'>;
}

export interface Watchdog {
  /** Told which call runs, so that the line names it. */
  readonly marker: CallMarker;
  /** From here on the limit holds; before, while much is compiled, a longer one. */
  ready(): void;
  stop(): Promise<void>;
}

const TICK_MS = 100;
/** A start compiles and initialises every plugin, at times without a turn of the event loop. */
const START_LIMIT_MS = 30_000;
/** Node ends a worker that lost its primary by itself; this is for one that cannot. */
const ORPHAN_MS = 1500;

export async function startWatchdog(options: WatchdogOptions): Promise<Watchdog> {
  const { limitMs, slot, runDir, primaryPid, errorLog, log } = options;
  const buffer = createWatchBuffer();
  const memory = new WatchedSide(buffer);
  const isInspected = await inspectorProbe();
  const beat = (): void => {
    memory.setInspected(isInspected());
    memory.beat();
  };
  beat();
  memory.setLimit(toTicks(Math.max(limitMs, START_LIMIT_MS)));
  const workerData: WatchdogThreadData = {
    buffer,
    tickMs: TICK_MS,
    parentPid: primaryPid === process.pid ? null : primaryPid,
    orphanTicks: toTicks(ORPHAN_MS),
    lastWords: { slot, pid: process.pid, primaryPid, runDir, errorLog },
  };
  const thread = new Worker(threadFile(), {
    workerData,
    execArgv: [],
    env: {},
    // It holds a handful of objects; without limits its heap grows as the main thread's does.
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  });
  thread.on('error', (error) => log.error({ err: error }, 'watchdog ended'));
  thread.unref();
  const timer = setInterval(beat, TICK_MS);
  timer.unref();
  return {
    marker: memory,
    ready: () => memory.setLimit(toTicks(limitMs)),
    stop: async () => {
      clearInterval(timer);
      memory.stop();
      await thread.terminate();
    },
  };
}

function toTicks(ms: number): number {
  return Math.ceil(ms / TICK_MS);
}

function threadFile(): URL {
  return new URL('./watchdog-thread.js', import.meta.url);
}

/** Tells whether a debugger listens, also when it was opened later. Some builds of Node have none. */
async function inspectorProbe(): Promise<() => boolean> {
  if (process.features.inspector !== true) return () => false;
  const inspector = await import('node:inspector');
  return () => inspector.url() !== undefined;
}
