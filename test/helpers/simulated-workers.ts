/**
 * Workers that are not there: sockets in a run directory behind which made-up histories grow, so
 * that one real worker serves the live page of a large cluster.
 */
import { formatLiveReport } from '../../src/admin/live/live-report.ts';
import type { OwnProcess, WorkerStatus } from '../../src/admin/own-process.ts';
import { createSiblingServer, type SiblingServer } from '../../src/admin/sibling-server.ts';
import type { LiveColumns } from '../../src/metrics/live-columns.ts';
import { HISTORY_ROWS, LiveHistory } from '../../src/metrics/live-history.ts';

export interface SimulatedWorkers {
  readonly workers: readonly OwnProcess[];
  close(): Promise<void>;
}

export interface SimulatedOptions {
  readonly runDir: string;
  readonly columns: LiveColumns;
  /** Slots from this one on. */
  readonly firstSlot: number;
  readonly count: number;
}

/** Beyond every process id of this machine. */
const FIRST_PID = 500_000_000;

/** Each with a full history up to now. */
export async function simulateWorkers(options: SimulatedOptions): Promise<SimulatedWorkers> {
  const { runDir, columns, firstSlot, count } = options;
  const made = Array.from({ length: count }, (_one, index) =>
    createWorker(columns, firstSlot + index),
  );
  const tick = (timeMs: number): void => {
    for (const { add } of made) add(timeMs);
  };
  let lastMs = Math.floor(Date.now() / 1000) * 1000 - HISTORY_ROWS * 1000;
  const catchUp = (): void => {
    for (; lastMs + 1000 <= Date.now(); lastMs += 1000) tick(lastMs + 1000);
  };
  catchUp();
  const timer = setInterval(catchUp, 250);
  const servers: SiblingServer[] = [];
  for (const { own } of made) servers.push(await createSiblingServer({ runDir, own }));
  return {
    workers: made.map(({ own }) => own),
    close: async () => {
      clearInterval(timer);
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

function createWorker(
  columns: LiveColumns,
  slot: number,
): { own: OwnProcess; add: (timeMs: number) => void } {
  const history = new LiveHistory(columns);
  const startedAt = Date.now();
  let calls = 0;
  const status = (): WorkerStatus => ({
    slot: String(slot),
    pid: FIRST_PID + slot,
    state: 'ready',
    uptimeSeconds: 900 + (Date.now() - startedAt) / 1000,
    version: '0.1.0',
    nodeVersion: '20.0.0',
    plugins: [
      {
        name: 'hello',
        hash: 'ab12'.repeat(16),
        version: '',
        functions: ['hello'],
        isolation: 'shared',
        execution: 'inline',
        limits: { timeoutMs: 1000, maxPages: 1024, maxWaiters: 1000, waitMs: 5000, instances: 1 },
        waiters: 3,
        memoryBytes: 2_162_688,
        calls: { ok: calls },
      },
    ],
  });
  return {
    own: {
      status,
      metrics: () =>
        Promise.resolve(`# TYPE served_total counter\nserved_total{worker="${slot}"} 1\n`),
      live: (since) => formatLiveReport(status(), [], history.since(since)),
    },
    add: (timeMs) => {
      const row = madeUpRow(columns, slot, timeMs / 1000);
      calls += row[0] as number;
      history.add({ timeMs, spanMs: 1000, plugins: [row] });
    },
  };
}

/** Smooth, and different for each slot. */
function madeUpRow(columns: LiveColumns, slot: number, second: number): Float64Array {
  const row = new Float64Array(columns.count);
  const rate = Math.round(800 + 20 * slot + 150 * Math.sin(second / 30 + slot));
  row[0] = rate;
  row[columns.wait + 4] = Math.floor(rate * 0.6);
  row[columns.wait + 6] = Math.floor(rate * 0.3);
  row[columns.wait + 8] = rate - Math.floor(rate * 0.6) - Math.floor(rate * 0.3);
  row[columns.hold] = rate;
  row[columns.busy] = rate * 200;
  row[columns.waiters] = Math.round(5 + 4 * Math.sin(second / 20 + slot));
  return row;
}
