/** Histograms of microseconds that keep three digits at every size, and what is told of them. */
import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js';
import type { Latency } from './load-result.ts';

export type { Histogram } from 'hdr-histogram-js';

/** An hour: longer than any time-out. */
const MOST_US = 3_600_000_000;

/** Points of the curve: tenths up to the median, then five for each halving of what is left, to 99.999. */
const CURVE: readonly number[] = curve();

export function createHistogram(): Histogram {
  return build({
    bitBucketSize: 32,
    autoResize: false,
    numberOfSignificantValueDigits: 3,
    highestTrackableValue: MOST_US,
  });
}

/** For the way between threads. */
export const encodeHistogram = (histogram: Histogram): string =>
  encodeIntoCompressedBase64(histogram);

export function mergeHistograms(encoded: readonly string[]): Histogram {
  const merged = createHistogram();
  for (const text of encoded) merged.add(decodeFromCompressedBase64(text));
  return merged;
}

/** Never below 1 us, which is what the histogram can tell from nothing. */
export function record(histogram: Histogram, us: number): void {
  histogram.recordValue(Math.min(MOST_US, Math.max(1, Math.round(us))));
}

export function toLatency(histogram: Histogram): Latency {
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile);
  const isEmpty = histogram.totalCount === 0;
  return {
    unit: 'us',
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: histogram.maxValue,
    mean: isEmpty ? 0 : Math.round(histogram.mean * 10) / 10,
    percentiles: isEmpty ? [] : CURVE.map((percentile) => [percentile, at(percentile)] as const),
  };
}

function curve(): number[] {
  const points = [0, 10, 20, 30, 40, 50];
  for (let left = 50; left > 0.001; left /= 2) {
    for (let step = 1; step <= 5; step++) {
      points.push(Number((100 - left + (left / 2) * (step / 5)).toFixed(5)));
    }
  }
  return [...points.filter((percentile) => percentile < 99.999), 99.999, 100];
}

/** Nothing was measured. */
export function emptyLatency(): Latency {
  return toLatency(createHistogram());
}
