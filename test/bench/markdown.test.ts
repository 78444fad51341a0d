import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { GOALS, reachGoals } from '../../bench/runner/goals.ts';
import { formatReadme, formatResults, table } from '../../bench/runner/markdown.ts';
import { rewriteSection } from '../../bench/runner/rewrite-section.ts';
import { ROOT } from '../helpers/paths.ts';
import { sampleContender, sampleReport, sampleRound, sampleScenario } from './samples.ts';

const HELLO = sampleScenario('hello-100', [
  sampleContender('plugind', [42_000, 40_000, 45_000]),
  sampleContender('go-mutex', [11_000, 10_000, 12_000]),
]);

describe('a result as Markdown', () => {
  it('aligns its tables', () => {
    assert.equal(
      table(['a', 'long title'], [['something', '1']]),
      '| a         | long title |\n| --------- | ---------- |\n| something | 1          |',
    );
  });

  it('shows medians with their spread', () => {
    const text = formatResults(sampleReport([HELLO]));
    assert.ok(text.includes('42,000 (40,000..45,000)'));
    assert.ok(text.includes('2.00 (2.00..2.00)'));
  });

  it('shows every ratio of a measured scenario as reached or not', () => {
    const goals = reachGoals([HELLO]);
    const mutex = goals.find(({ over, figure }) => over === 'go-mutex' && figure !== 'p99Us');
    assert.equal(mutex?.isReached, true);
    assert.equal(goals.find(({ over }) => over === 'go-pool')?.ratio, null);
    assert.ok(goals.every(({ scenario }) => scenario === 'hello-100'));
    assert.ok(GOALS.length > goals.length);
    const text = formatResults(sampleReport([HELLO], { goals }));
    assert.match(text, /3\.82x +\| reached/);
    assert.match(text, /- +\| not measured/);
  });

  it('says what is void, wrong or refused, and what was skipped', () => {
    const bad = sampleContender('plugind', [], {
      void: 'the server counted 2',
      rounds: [sampleRound({ wrong: 3, refused: 4, refusedP99Us: 1500 })],
    });
    const report = sampleReport([sampleScenario('hello-1', [bad])], {
      skipped: ['every Go server: Go is not installed'],
      faults: ['hello-1: plugind is void'],
    });
    const text = formatResults(report);
    for (const part of ['VOID: the server counted 2', '3 wrong of 1,007', '4 refused', '1.50 ms']) {
      assert.ok(text.includes(part), part);
    }
    assert.ok(text.includes('- every Go server: Go is not installed'));
    assert.ok(text.includes('- hello-1: plugind is void'));
  });
});

describe('the bench’s part of the README', () => {
  it('replaces what stands between the markers and nothing else', () => {
    const text = 'before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n';
    const expected = 'before\n<!-- bench:begin -->\nnew\n<!-- bench:end -->\nafter\n';
    assert.equal(rewriteSection(text, 'new\n'), expected);
    assert.equal(rewriteSection(expected, 'new'), expected);
  });

  it('is refused where the markers are missing, turned round or doubled', () => {
    const [begin, end] = ['<!-- bench:begin -->', '<!-- bench:end -->'];
    for (const text of ['', begin, end, `${end} ${begin}`, `${begin} ${end} ${begin} ${end}`]) {
      assert.throws(() => rewriteSection(text, 'new'), text);
    }
  });

  it('fits into the README, which has markers for it', () => {
    const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
    const rows = ['plugind', 'go-mutex', 'go-pool', 'promise-mutex'];
    const fresh = ['plugind-fresh', 'go-instance-per-request'];
    const report = sampleReport([
      sampleScenario(
        'hello-100',
        rows.map((name) => sampleContender(name, [1])),
      ),
      sampleScenario(
        'fresh',
        fresh.map((name) => sampleContender(name, [1])),
      ),
    ]);
    const rewritten = rewriteSection(readme, formatReadme(report) ?? '');
    assert.ok(rewritten.split('\n').length < 200);
    for (const name of [...rows, ...fresh]) assert.ok(rewritten.includes(`title of ${name}`));
  });

  it('is not written from a run that lacks some of it, as one without Go', () => {
    assert.equal(formatReadme(sampleReport([HELLO])), null);
  });
});
