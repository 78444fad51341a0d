/** The wait before the lock as a client can tell it: its latency, less what a request takes that waits for nobody. */

/**
 * @param percentiles [percentile 0..100, microseconds] under load.
 * @param aloneUs the median latency of one connection alone.
 * @returns [share 0..1, microseconds].
 */
export function clientWaits(
  percentiles: readonly (readonly [number, number])[],
  aloneUs: number,
): readonly (readonly [number, number])[] {
  return percentiles.map(
    ([percentile, us]) => [percentile / 100, Math.max(0, us - aloneUs)] as const,
  );
}

/** The wait that this share of requests stays below; null where the points do not reach so far. */
export function waitAt(
  points: readonly (readonly [number, number])[],
  share: number,
): number | null {
  return points.find(([upTo]) => upTo >= share)?.[1] ?? null;
}
