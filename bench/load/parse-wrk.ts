/** Reads wrk's report with --latency. Each time has its own unit; of answers it tells 2xx and 3xx from the rest only. */
import { emptyLatency } from './latency.ts';
import type { Latency, LoadResult } from './load-result.ts';

const US_BY_UNIT: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1000,
  s: 1e6,
  m: 60e6,
  h: 3600e6,
};

/**
 * The latency is of everything that was answered, and p99.9 is the slowest of all: wrk says neither apart.
 * @throws Error for a text that is no report of wrk, as when it could not connect.
 */
export function parseWrk(text: string): LoadResult {
  const totals = /^\s*(\d+) requests in ([\d.]+)(us|ms|s|m|h),/m.exec(text);
  if (totals === null) throw new Error(`not a report of wrk: ${text.slice(0, 200)}`);
  const [, count, time = '', unit = ''] = totals;
  const answered = Number(count);
  const seconds = toUs(time, unit) / 1e6;
  const otherStatus = Number(/^\s*Non-2xx or 3xx responses: (\d+)$/m.exec(text)?.[1] ?? 0);
  const connections = Number(/ and (\d+) connections$/m.exec(text)?.[1] ?? 0);
  const failures = readFailures(text);
  const unanswered = Object.values(failures).reduce((total, one) => total + one, 0);
  const ok = answered - otherStatus;
  const byStatus = { '2xx or 3xx': ok, ...(otherStatus > 0 ? { other: otherStatus } : {}) };
  return {
    tool: 'wrk',
    sent: answered + unanswered,
    ok,
    wrong: 0,
    refused: 0,
    failed: otherStatus + unanswered,
    byStatus,
    failures,
    seconds,
    requestsPerSecond: seconds === 0 ? 0 : ok / seconds,
    latency: answered === 0 ? emptyLatency() : readLatency(text),
    refusedLatency: null,
    partLatency: null,
    lateness: null,
    // Each connection may have a request in flight when wrk ends, which the server counts.
    total: { sent: answered + unanswered + connections, answered },
  };
}

const ERRORS: Readonly<Record<string, string>> = {
  connect: 'CONNECT',
  read: 'CUT',
  write: 'WRITE',
  timeout: 'TIMEOUT',
};

function readFailures(text: string): Record<string, number> {
  const line = /^\s*Socket errors: (.+)$/m.exec(text)?.[1] ?? '';
  const counts = [...line.matchAll(/(\w+) (\d+)/g)].map(
    ([, name = '', count]) => [ERRORS[name] ?? 'OTHER', Number(count)] as const,
  );
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

function readLatency(text: string): Latency {
  // Avg, Stdev, Max.
  const row = /^\s*Latency\s+([\d.]+)(\w+)\s+[\d.]+\w+\s+([\d.]+)(\w+)/m.exec(text);
  const [, average = '0', averageUnit = '', slowest = '0', slowestUnit = ''] = row ?? [];
  const max = toUs(slowest, slowestUnit);
  const given = [...text.matchAll(/^\s*([\d.]+)%\s+([\d.]+)(us|ms|s|m|h)$/gm)].map(
    ([, percentile, value = '0', unit = '']) => [Number(percentile), toUs(value, unit)] as const,
  );
  const at = (percentile: number): number =>
    given.find(([known]) => known >= percentile)?.[1] ?? max;
  return {
    unit: 'us',
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: max,
    max,
    mean: toUs(average, averageUnit),
    percentiles: [...given, [100, max]],
  };
}

function toUs(value: string, unit: string): number {
  return Math.round(Number(value) * (US_BY_UNIT[unit] ?? Number.NaN) * 10) / 10;
}
