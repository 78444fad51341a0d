/** Puts together what the threads found. */
import { mergeHistograms, toLatency } from './latency.ts';
import type { LoadOptions } from './load-options.ts';
import type { Latency, LoadResult } from './load-result.ts';
import type { HistogramName, PhaseRecord } from './recorder.ts';

export interface MergedRecords {
  readonly options: LoadOptions;
  /** One a thread. */
  readonly warmUp: readonly PhaseRecord[];
  readonly measured: readonly PhaseRecord[];
  /** When the measurement was cut short, after how long. */
  readonly abortedAfterMs: number | null;
}

export function mergeRecords({
  options,
  warmUp,
  measured,
  abortedAfterMs,
}: MergedRecords): LoadResult {
  const sum = (pick: (record: PhaseRecord) => number, of = measured): number =>
    of.reduce((total, record) => total + pick(record), 0);
  const latencyOf = (name: HistogramName): Latency =>
    toLatency(mergeHistograms(measured.map(({ histograms }) => histograms[name])));
  const ok = sum(({ outcomes }) => outcomes.ok);
  const wrong = sum(({ outcomes }) => outcomes.wrong);
  const refused = sum(({ outcomes }) => outcomes.refused);
  const failed = sum(({ outcomes }) => outcomes.failed);
  const lastAnswerMs = Math.max(0, ...measured.map((record) => record.lastAnswerMs));
  const seconds =
    (abortedAfterMs ?? (options.requests === null ? options.durationMs : lastAnswerMs)) / 1000;
  const all = [...warmUp, ...measured];
  return {
    tool: 'plugind-load',
    sent: ok + wrong + refused + failed,
    ok,
    wrong,
    refused,
    failed,
    byStatus: sumByKey(measured.map(({ byStatus }) => byStatus)),
    failures: sumByKey(measured.map(({ failures }) => failures)),
    seconds,
    requestsPerSecond: seconds === 0 ? 0 : sum(({ okInTime }) => okInTime) / seconds,
    latency: latencyOf('ok'),
    refusedLatency: refused === 0 ? null : latencyOf('refused'),
    partLatency:
      options.traffic.kind === 'mixed'
        ? { quick: latencyOf('quick'), slow: latencyOf('slow') }
        : null,
    lateness: options.rate === null ? null : latencyOf('lateness'),
    total: {
      sent: sum(({ written }) => written, all),
      answered: sum(({ answered }) => answered, all),
    },
  };
}

function sumByKey(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [key, count] of counts.flatMap((one) => Object.entries(one))) {
    sums[key] = (sums[key] ?? 0) + count;
  }
  return sums;
}
