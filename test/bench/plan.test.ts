import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { CONTENDERS, contenderNamed, scaleSteps, wasmFile } from '../../bench/contenders.ts';
import { GOALS } from '../../bench/runner/goals.ts';
import { parseOptions } from '../../bench/runner/options.ts';
import { plan } from '../../bench/runner/plan.ts';
import { SCENARIOS, scenarioNamed } from '../../bench/scenarios/all-scenarios.ts';

const ALL = { noGo: null, missing: [] };

function planned(args: readonly string[], present = ALL as Parameters<typeof plan>[1]) {
  const options = parseOptions(args);
  assert.ok(typeof options === 'object');
  const { scenarios, skipped } = plan(options, present);
  const names = scenarios.map(({ scenario, contenders }) => [
    scenario.name,
    contenders.map(({ name }) => name),
  ]);
  return { byScenario: Object.fromEntries(names) as Record<string, string[]>, skipped, scenarios };
}

describe('what is measured', () => {
  it('is known by names that are there once each', () => {
    for (const list of [CONTENDERS, SCENARIOS]) {
      const names = list.map(({ name }) => name);
      assert.equal(new Set(names).size, names.length);
    }
    for (const { served, contenders, quickContenders } of SCENARIOS) {
      assert.ok(existsSync(wasmFile(served.plugin)));
      contenders.forEach(contenderNamed);
      for (const name of quickContenders) contenderNamed(name);
    }
  });

  it('includes all that the ratios need', () => {
    for (const { scenario, of, over } of GOALS) {
      const { contenders } = scenarioNamed(scenario);
      // One CPU has no cluster of a bare server.
      for (const name of [of, over])
        assert.ok(contenders.includes(name) || over.includes('cluster'));
    }
  });

  it('is everything, unless it is told otherwise', () => {
    assert.deepEqual(
      Object.keys(planned([]).byScenario),
      SCENARIOS.map(({ name }) => name),
    );
    assert.deepEqual(planned([]).skipped, []);
  });

  it('is what the command line names', () => {
    const args = ['--scenario', 'hello-1,hello-100', '--contender', 'plugind,go-pool'];
    assert.deepEqual(planned(args).byScenario, {
      'hello-1': ['plugind'],
      'hello-100': ['plugind', 'go-pool'],
    });
  });

  it('needs neither Go nor hey, and says what that leaves out', () => {
    const { byScenario, skipped } = planned([], { noGo: 'Go is not installed', missing: ['hey'] });
    assert.ok(
      !Object.values(byScenario)
        .flat()
        .some((name) => name.startsWith('go-')),
    );
    assert.ok(byScenario['hello-100']?.includes('plugind'));
    assert.ok(skipped.some((line) => line.includes('Go is not installed')));
    assert.ok(skipped.some((line) => line.startsWith('article-100:')));
  });

  it('is little and short when quick, and says what that leaves out', () => {
    const { byScenario, skipped, scenarios } = planned(['--quick']);
    assert.ok(byScenario['hello-100']?.includes('plugind'));
    assert.equal(byScenario['hello-1000'], undefined);
    assert.ok(skipped.some((line) => line.includes('hello-1000')));
    for (const { scenario } of scenarios) assert.ok(scenario.seconds < 1);
  });

  it('has a step for each doubling of workers and for all', () => {
    assert.deepEqual(scaleSteps(1), [1]);
    assert.deepEqual(scaleSteps(2), [1, 2]);
    assert.deepEqual(scaleSteps(6), [1, 2, 4, 6]);
  });
});

describe('the command line of the bench', () => {
  it('lets only a whole run speak for the project', () => {
    const writes = (...args: string[]) => {
      const options = parseOptions(args);
      return typeof options === 'object' && options.writesReadme;
    };
    assert.equal(writes(), true);
    assert.equal(writes('--quick'), false);
    assert.equal(writes('--scenario', 'hello-1'), false);
    assert.equal(writes('--name', 'other'), false);
  });

  it('refuses what it does not know', () => {
    for (const args of [['--quik'], ['--rounds', '0'], ['--name', '../x'], ['more']]) {
      assert.throws(() => parseOptions(args), args.join(' '));
    }
    assert.throws(() => scenarioNamed('hello'), /there is no scenario/);
    assert.throws(() => contenderNamed('plugin'), /there is no contender/);
  });
});
