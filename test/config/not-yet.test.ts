import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NOT_YET, notYetProblems } from '../../src/config/not-yet.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { validateFile } from '../../src/config/validate-file.ts';
import { loadFile, minimalFile, problemsOf } from './fixture.ts';

/** For each key of the table: a file that uses it, and one that says what goes without it. */
const CASES: Readonly<Record<string, { uses: unknown; without: unknown }>> = {};

describe('keys that wait for their part', () => {
  for (const { key } of NOT_YET) {
    const { uses, without } = CASES[key] ?? assert.fail(`no case for ${key}`);
    it(`refuses ${key} by name`, () => {
      assert.deepEqual(validateFile(uses).map(formatProblem), []);
      const lines = problemsOf(() => loadFile(uses));
      assert.equal(lines.length, 1, lines.join('\n'));
      const name = key.split('.').findLast((part) => part !== '*') ?? '';
      assert.match(lines[0] ?? '', new RegExp(`${name}\\b.*: not supported yet: .*leave it out`));
    });
    it(`accepts a file that asks nothing of ${key}`, () => {
      assert.equal(loadFile(without).plugins.length, 1);
    });
    it(`accepts ${key} once its line is gone`, () => {
      const rest = NOT_YET.filter((entry) => entry.key !== key);
      assert.deepEqual(notYetProblems(uses, rest), []);
    });
  }

  it('finds them in every plugin', () => {
    const plugins = {
      a: { wasm: 'a', poolSize: 2 },
      b: { wasm: 'b' },
      c: { wasm: 'c', poolSize: 3 },
    };
    assert.deepEqual(
      notYetProblems(minimalFile({ plugins }), [
        { key: 'plugins.*.poolSize', reason: 'planted' },
      ]).map(({ path }) => path),
      [
        ['plugins', 'a', 'poolSize'],
        ['plugins', 'c', 'poolSize'],
      ],
    );
  });
});
