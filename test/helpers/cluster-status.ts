/** What `/status` and `/metrics` of a running cluster say, for assertions. */
import { fetchSoon } from './fetch-soon.ts';
import { waitFor } from './wait-for.ts';

export interface WorkerLine {
  readonly slot: string;
  readonly pid: number;
  readonly state: string;
}

export async function readWorkers(adminUrl: string): Promise<WorkerLine[]> {
  const reply = await fetchSoon(`${adminUrl}/status`);
  return ((await reply.json()) as { workers: WorkerLine[] }).workers;
}

/** Resolves to the workers once this many are ready and nobody else is there. */
export function waitForReady(adminUrl: string, count: number): Promise<WorkerLine[]> {
  return waitFor(`${count} ready workers`, async () => {
    const workers = await readWorkers(adminUrl).catch(() => []);
    return workers.length === count && workers.every(({ state }) => state === 'ready') && workers;
  });
}

export async function readMetrics(adminUrl: string): Promise<string> {
  return (await fetchSoon(`${adminUrl}/metrics`)).text();
}

/** How long after the start the worker that replaced the dead one said in the log that it is ready. */
export async function replacedAfterMs(
  readLog: () => string,
  dead: Pick<WorkerLine, 'slot' | 'pid'> | undefined,
  startedAt: number,
): Promise<number> {
  // Whole lines only: what passes them on may be behind the worker that wrote them.
  const readyLine = (): { time: string } | undefined =>
    readLog()
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.includes('"state":"ready"'))
      .map((line) => JSON.parse(line) as { worker: string; pid: number; time: string })
      .find(
        ({ worker, pid, time }) =>
          worker === dead?.slot && pid !== dead.pid && Date.parse(time) >= startedAt,
      );
  const { time } = await waitFor('the line of the worker that took over', readyLine);
  return Date.parse(time) - startedAt;
}
