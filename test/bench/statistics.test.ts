import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isWorse, median, shuffled, spreadOf } from '../../bench/runner/statistics.ts';

describe('figures over rounds', () => {
  it('takes the middle one, or the mean of the middle two', () => {
    assert.equal(median([5, 1, 3]), 3);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.ok(Number.isNaN(median([])));
  });

  it('keeps lowest and highest', () => {
    assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 });
    assert.equal(spreadOf([]), null);
  });

  it('shuffles without losing any', () => {
    const orders = [0.9, 0.1, 0.5];
    assert.deepEqual(
      shuffled(['a', 'b', 'c'], () => orders.shift() ?? 0),
      ['b', 'c', 'a'],
    );
    const many = Array.from({ length: 50 }, (_, index) => index);
    assert.deepEqual(
      shuffled(many).sort((a, b) => a - b),
      many,
    );
  });

  it('calls a figure worse only where neither run saw the other one’s median', () => {
    const before = { median: 100, min: 90, max: 110 };
    assert.equal(isWorse(before, { median: 80, min: 70, max: 95 }, 'higher'), true);
    assert.equal(isWorse(before, { median: 80, min: 70, max: 105 }, 'higher'), false);
    assert.equal(isWorse(before, { median: 95, min: 94, max: 96 }, 'higher'), false);
    assert.equal(isWorse(before, { median: 120, min: 115, max: 130 }, 'higher'), false);
    assert.equal(isWorse(before, { median: 120, min: 115, max: 130 }, 'lower'), true);
  });
});
