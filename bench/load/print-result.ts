/** A result for a person to read. */
import type { Latency, LoadResult } from './load-result.ts';

export function resultText(result: LoadResult): string {
  const { sent, ok, wrong, refused, failed, seconds, requestsPerSecond } = result;
  const lines = [
    `${result.tool}: ${sent} requests in ${seconds.toFixed(2)} s, ${requestsPerSecond.toFixed(1)} right answers a second`,
    `  ok ${ok}  wrong ${wrong}  refused ${refused}  failed ${failed}`,
    `  status   ${pairs(result.byStatus)}`,
  ];
  if (Object.keys(result.failures).length > 0) lines.push(`  failures ${pairs(result.failures)}`);
  const rows: readonly (readonly [string, Latency | null])[] = [
    ['latency', result.latency],
    ['refused', result.refusedLatency],
    ['quick', result.partLatency?.quick ?? null],
    ['slow', result.partLatency?.slow ?? null],
    ['lateness', result.lateness],
  ];
  for (const [name, latency] of rows) {
    if (latency !== null) lines.push(`  ${name.padEnd(8)} ${latencyText(latency)}`);
  }
  return lines.join('\n');
}

function latencyText({ p50, p90, p99, p999, max, mean }: Latency): string {
  const figures = { mean, p50, p90, p99, 'p99.9': p999, max };
  return `${Object.entries(figures)
    .map(([name, us]) => `${name} ${us}`)
    .join('  ')} us`;
}

function pairs(counts: Readonly<Record<string, number>>): string {
  const texts = Object.entries(counts).map(([name, count]) => `${name}: ${count}`);
  return texts.length === 0 ? 'none' : texts.join('  ');
}
