/**
 * Prometheus' `histogram_quantile` over counts of one span, so that this page and a dashboard say
 * the same: linear within a bucket, which begins at 0 where it is the first; beyond the last bound
 * it is that bound.
 */

/**
 * @param {number} q 0 to 1
 * @param {readonly number[]} bounds upper bounds, ascending, without +Inf
 * @param {ArrayLike<number>} counts of each bucket, not cumulative, +Inf last
 * @param {number} [offset] where the counts begin
 * @returns {number | null} null where nothing was counted
 */
export function quantile(q, bounds, counts, offset = 0) {
  let total = 0;
  for (let index = 0; index <= bounds.length; index++) total += counts[offset + index] ?? 0;
  if (total === 0) return null;
  const rank = q * total;
  let below = 0;
  for (let index = 0; index < bounds.length; index++) {
    const count = counts[offset + index] ?? 0;
    if (count > 0 && below + count >= rank) {
      const start = index === 0 ? 0 : /** @type {number} */ (bounds[index - 1]);
      const end = /** @type {number} */ (bounds[index]);
      return start + (end - start) * ((rank - below) / count);
    }
    below += count;
  }
  return bounds.at(-1) ?? null;
}
