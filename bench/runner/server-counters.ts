/** What plugind itself counted, from one scrape of its metrics. */
import { setTimeout } from 'node:timers/promises';

export interface ServerCounters {
  /** Sum of plugind_plugin_calls_total over workers, functions and outcomes. */
  readonly calls: number;
  /** plugind_plugin_lock_wait_seconds, summed over workers: upper bound in seconds -> waits up to it. */
  readonly lockWaits: ReadonlyMap<number, number>;
}

/** How long a worker may leave scrapes unanswered: right after a load it may be busy for longer than a scrape waits. */
const ANSWER_CAP_MS = 10_000;
const PAUSE_MS = 200;

/** Scrapes until every worker answers. @throws Error when one does not: its calls would be missing. */
export async function scrapeCounters(adminUrl: string): Promise<ServerCounters> {
  const endsAt = performance.now() + ANSWER_CAP_MS;
  for (;;) {
    const reply = await fetch(`${adminUrl}/metrics`);
    const text = await reply.text();
    if (reply.status !== 200) throw new Error(`${adminUrl}/metrics answered ${reply.status}`);
    if (!/^plugind_worker_up\{.* 0$/m.test(text) || performance.now() > endsAt) {
      return parseCounters(text);
    }
    await setTimeout(PAUSE_MS);
  }
}

export function parseCounters(text: string): ServerCounters {
  let calls = 0;
  const lockWaits = new Map<number, number>();
  for (const line of text.split('\n')) {
    const value = Number(line.slice(line.lastIndexOf(' ') + 1));
    if (line.startsWith('plugind_worker_up{') && value !== 1) {
      throw new Error(`a worker did not answer the scrape: ${line}`);
    }
    if (line.startsWith('plugind_plugin_calls_total{')) calls += value;
    if (line.startsWith('plugind_plugin_lock_wait_seconds_bucket{')) {
      const bound = Number((/le="([^"]+)"/.exec(line)?.[1] ?? '').replace('+Inf', 'Infinity'));
      lockWaits.set(bound, (lockWaits.get(bound) ?? 0) + value);
    }
  }
  return { calls, lockWaits };
}

/** Cumulative shares of the waits between two scrapes: [share 0..1, upper bound in microseconds]. */
export function lockWaitShares(
  before: ServerCounters,
  after: ServerCounters,
): readonly (readonly [number, number])[] {
  const grown = (bound: number): number =>
    (after.lockWaits.get(bound) ?? 0) - (before.lockWaits.get(bound) ?? 0);
  const total = grown(Number.POSITIVE_INFINITY);
  if (total === 0) return [];
  return [...after.lockWaits.keys()]
    .filter((bound) => Number.isFinite(bound))
    .sort((a, b) => a - b)
    .map((bound) => [grown(bound) / total, Math.round(bound * 1e6)] as const);
}
