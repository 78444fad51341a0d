import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawCharts } from '../../bench/runner/charts.ts';
import { sampleContender, sampleReport, sampleScenario } from './samples.ts';

/** Throws where tags do not nest, an attribute is not quoted or a bare < or & stands in the text. */
function assertWellFormed(svg: string): void {
  const open: string[] = [];
  let last = 0;
  const assertText = (text: string): void => {
    assert.doesNotMatch(text.replaceAll(/&(amp|lt|gt|quot);/g, ''), /[<&]/);
  };
  for (const match of svg.matchAll(/<(\/?)([a-zA-Z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g)) {
    assertText(svg.slice(last, match.index));
    last = match.index + match[0].length;
    const [, closes, name, , isEmpty] = match;
    if (closes === '/') assert.equal(open.pop(), name);
    else if (isEmpty !== '/') open.push(name ?? '');
  }
  assertText(svg.slice(last));
  assert.deepEqual(open, []);
}

const LOCK_WAIT = {
  client: [
    [0.5, 900],
    [0.99, 4000],
  ],
  server: [
    [0.1, 500],
    [0.6, 1000],
    [1, 5000],
  ],
} as const;

const REPORT = sampleReport([
  sampleScenario('hello-100', [
    sampleContender('plugind', [3, 2, 4], { title: 'ours & <theirs> "quoted"' }),
    sampleContender('void', [1], { requestsPerSecond: null, void: 'no' }),
  ]),
  sampleScenario('fixed-rate', [sampleContender('plugind', [1]), sampleContender('go', [1])]),
  sampleScenario('lock-wait', [sampleContender('plugind-1', [1], { lockWait: LOCK_WAIT })]),
  sampleScenario('scale', [sampleContender('plugind-1', [1]), sampleContender('plugind-2', [2])]),
]);

describe('the charts', () => {
  const charts = drawCharts(REPORT);

  it('are four', () => {
    assert.deepEqual(
      [...charts.keys()],
      ['throughput', 'latency', 'lock-wait', 'scaling'].map((name) => `bench-${name}.svg`),
    );
  });

  for (const [file, svg] of charts) {
    it(`draws ${file} well-formed, for light and dark, without a figure that is none`, () => {
      assertWellFormed(svg);
      assert.ok(svg.includes('prefers-color-scheme: dark'));
      assert.doesNotMatch(svg, /NaN|Infinity|undefined|null/);
    });
  }

  it('would not take broken markup for well-formed', () => {
    for (const broken of ['<a><b></a></b>', '<a>', '<a x=1></a>', '<a>x & y</a>']) {
      assert.throws(() => assertWellFormed(broken), broken);
    }
  });

  it('are left out where there is nothing to show', () => {
    assert.equal(drawCharts(sampleReport([])).size, 0);
    const empty = sampleReport([sampleScenario('lock-wait', [sampleContender('plugind-1', [1])])]);
    assert.equal(drawCharts(empty).size, 0);
  });
});
