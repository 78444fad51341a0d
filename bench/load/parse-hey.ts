/** Reads hey's report. Its units are seconds, and it knows no percentile beyond 99. */

import { emptyLatency } from './latency.ts';
import type { Latency, LoadResult } from './load-result.ts';

const US_PER_SECOND = 1e6;
const OK_STATUS = '200';
const REFUSALS: readonly string[] = ['503', '429'];

/**
 * The latency is of everything that was answered, since hey keeps no other, and p99.9 is the slowest of all.
 * @throws Error for a text that is no report of hey.
 */
export function parseHey(text: string): LoadResult {
  const seconds = Number(/^\s*Total:\s+([\d.]+) secs$/m.exec(text)?.[1]);
  if (!(seconds >= 0)) throw new Error(`not a report of hey: ${text.slice(0, 200)}`);
  const byStatus = Object.fromEntries(
    [...text.matchAll(/^\s*\[(\d{3})\]\s+(\d+) responses$/gm)].map(([, status, count]) => [
      status as string,
      Number(count),
    ]),
  );
  const failures = readFailures(text);
  const answered = sum(Object.values(byStatus));
  const ok = byStatus[OK_STATUS] ?? 0;
  const refused = sum(REFUSALS.map((status) => byStatus[status] ?? 0));
  const unanswered = sum(Object.values(failures));
  const sent = answered + unanswered;
  return {
    tool: 'hey',
    sent,
    ok,
    wrong: 0,
    refused,
    failed: sent - ok - refused,
    byStatus,
    failures,
    seconds,
    requestsPerSecond: seconds === 0 ? 0 : ok / seconds,
    latency: answered === 0 ? emptyLatency() : readLatency(text),
    refusedLatency: null,
    partLatency: null,
    lateness: null,
    total: { sent, answered },
  };
}

/** hey gives Go's error texts; their last part says what happened, the first ones which URL. */
function readFailures(text: string): Record<string, number> {
  const [, list = ''] = text.split(/^Error distribution:$/m);
  const failures: Record<string, number> = {};
  for (const [, count, message = ''] of list.matchAll(/^\s*\[(\d+)\]\s+(.+)$/gm)) {
    const reason = reasonOf(message);
    failures[reason] = (failures[reason] ?? 0) + Number(count);
  }
  return failures;
}

function reasonOf(message: string): string {
  if (/deadline exceeded|Client\.Timeout|i\/o timeout/.test(message)) return 'TIMEOUT';
  if (message.includes('connection refused')) return 'ECONNREFUSED';
  if (message.includes('connection reset')) return 'ECONNRESET';
  if (/EOF|server closed/.test(message)) return 'CUT';
  if (message.includes('malformed')) return 'BAD_RESPONSE';
  return 'OTHER';
}

function readLatency(text: string): Latency {
  const ofLine = (name: string): number =>
    toUs(new RegExp(`^\\s*${name}:\\s+([\\d.]+) secs$`, 'm').exec(text)?.[1] ?? '0');
  const max = ofLine('Slowest');
  const given = [...text.matchAll(/^\s*([\d.]+)%+ in ([\d.]+) secs$/gm)].map(
    ([, percentile, value]) => [Number(percentile), toUs(value ?? '0')] as const,
  );
  // hey leaves out percentiles that too few requests have.
  const at = (percentile: number): number =>
    given.find(([known]) => known >= percentile)?.[1] ?? max;
  return {
    unit: 'us',
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: max,
    max,
    mean: ofLine('Average'),
    percentiles: [[0, ofLine('Fastest')], ...given, [100, max]],
  };
}

function toUs(seconds: string): number {
  return Math.round(Number(seconds) * US_PER_SECOND);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
