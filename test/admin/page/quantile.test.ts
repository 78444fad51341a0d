import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { quantile } from '../../../src/admin/page/quantile.js';

const BOUNDS = [0.1, 0.5, 1, 5];

/** As Prometheus says it does it: cumulative counts, a search, a straight line within the bucket. */
function reference(q: number, counts: readonly number[]): number | null {
  const cumulative = counts.map((_count, index) =>
    counts.slice(0, index + 1).reduce((sum, count) => sum + count, 0),
  );
  const total = cumulative.at(-1) ?? 0;
  if (total === 0) return null;
  const rank = q * total;
  const index = cumulative.findIndex((count) => count >= rank);
  if (index === BOUNDS.length) return BOUNDS.at(-1) ?? null;
  const start = index === 0 ? 0 : (BOUNDS[index - 1] as number);
  const below = index === 0 ? 0 : (cumulative[index - 1] as number);
  return start + ((BOUNDS[index] as number) - start) * ((rank - below) / (counts[index] as number));
}

describe('quantile', () => {
  it('is what histogram_quantile says', () => {
    const counts = fc.array(fc.nat(1000), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(counts, fc.constantFrom(0.5, 0.9, 0.99, 1), (some, q) => {
        const [got, wanted] = [quantile(q, BOUNDS, some), reference(q, some)];
        if (got === null || wanted === null) assert.equal(got, wanted);
        else assert.ok(Math.abs(got - wanted) < 1e-9, `${got} instead of ${wanted}`);
      }),
    );
  });

  it('knows nothing of nothing, the last bound beyond it, and counts further on', () => {
    assert.equal(quantile(0.5, BOUNDS, [0, 0, 0, 0, 0]), null);
    assert.equal(quantile(0.5, BOUNDS, [0, 0, 0, 0, 3]), 5);
    assert.equal(quantile(0.5, BOUNDS, [9, 9, 10, 0, 0, 0, 0], 2), 0.05);
  });
});
