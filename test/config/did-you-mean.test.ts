import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { didYouMean } from '../../src/config/did-you-mean.ts';

describe('didYouMean', () => {
  for (const [word, candidates, meant] of [
    ['prot', ['host', 'port'], 'port'],
    ['Workers', ['workers'], 'workers'],
    ['waitms', ['max', 'waitMs'], 'waitMs'],
    ['watchdog', ['watch', 'watchdogMs'], 'watchdogMs'],
    ['x', ['port'], undefined],
    ['', ['port'], undefined],
    ['entirely', ['different'], undefined],
    ['p'.repeat(10_000), ['port'], undefined],
  ] as const) {
    it(`says ${meant ?? 'nothing'} for ${word.slice(0, 20)}`, () => {
      const expected = meant === undefined ? '' : `; did you mean "${meant}"?`;
      assert.equal(didYouMean(word, candidates), expected);
    });
  }
});
