import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareReports, describeChange } from '../../bench/runner/compare.ts';
import type { ContenderReport } from '../../bench/runner/report.ts';
import { spreadOf } from '../../bench/runner/statistics.ts';
import { sampleContender, sampleReport, sampleScenario } from './samples.ts';

function report(...contenders: ContenderReport[]) {
  return sampleReport([sampleScenario('hello-100', contenders)]);
}

describe('the comparison of two results', () => {
  it('names what got slower beyond the spread, and by how much', () => {
    const before = report(sampleContender('plugind', [1000, 1010, 990]));
    const after = report(sampleContender('plugind', [800, 790, 810]));
    const [change, ...others] = compareReports(before, after);
    assert.ok(change);
    assert.deepEqual(others, []);
    assert.deepEqual(
      [change.contender, change.before, change.after, change.isWorse],
      ['plugind', 1000, 800, true],
    );
    assert.match(describeChange(change), /^SLOWER {2}hello-100 {2}plugind: 1000 -> 800 .*0\.80x/);
  });

  it('names what got faster, which is no failure', () => {
    const before = report(sampleContender('plugind', [800, 790, 810]));
    const after = report(sampleContender('plugind', [1000, 1010, 990]));
    assert.deepEqual(
      compareReports(before, after).map(({ isWorse }) => isWorse),
      [false],
    );
  });

  it('says nothing of what is within the spread, was measured too little, or stands in one only', () => {
    const before = report(
      sampleContender('plugind', [1000, 850, 1100]),
      sampleContender('once', [1000]),
      sampleContender('gone', [1, 1, 1]),
    );
    const after = report(
      sampleContender('plugind', [900, 890, 950]),
      sampleContender('once', [10]),
      sampleContender('new', [1, 1, 1]),
    );
    assert.deepEqual(compareReports(before, after), []);
  });

  it('looks at p99 where the rate is fixed', () => {
    const withP99 = (us: number) =>
      sampleReport([
        sampleScenario(
          'fixed-rate',
          [sampleContender('plugind', [500, 500, 500], { p99Us: spreadOf([us, us + 1, us - 1]) })],
          { pace: 'slowest' },
        ),
      ]);
    const [change] = compareReports(withP99(2000), withP99(4000));
    assert.equal(change?.figure, 'p99Us');
    assert.equal(change?.isWorse, true);
  });
});
