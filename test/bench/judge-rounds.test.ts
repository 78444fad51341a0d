import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { contenderNamed } from '../../bench/contenders.ts';
import { type Found, judgeRounds } from '../../bench/runner/judge-rounds.ts';
import { sampleRound } from './samples.ts';

const PLUGIND = contenderNamed('plugind');

function found(changes: Partial<Found> = {}): Found {
  return {
    ...{ rounds: [sampleRound()], sent: [1300], deaths: 0, peakRssBytes: null, lockWait: null },
    ...changes,
  };
}

describe('the rounds of a contender', () => {
  it('count when the server counted each answer', () => {
    const report = judgeRounds(PLUGIND, found());
    assert.equal(report.void, null);
    assert.equal(report.requestsPerSecond?.median, 1000);
  });

  it('count when the server saw requests whose answer the client did not wait for', () => {
    const rounds = [sampleRound({ answered: 1290, counted: 1295, failed: 10 })];
    assert.equal(judgeRounds(PLUGIND, found({ rounds })).void, null);
  });

  for (const [name, counted] of [
    ['fewer', 1299],
    ['more', 1301],
  ] as const) {
    it(`are void when the server counted ${name} requests than there were`, () => {
      const report = judgeRounds(PLUGIND, found({ rounds: [sampleRound({ counted })] }));
      assert.notEqual(report.void, null);
      assert.equal(report.requestsPerSecond, null);
      assert.equal(report.p99Us, null);
    });
  }

  it('are void when a body was wrong or the server died, unless it is there to show that', () => {
    const wrong = found({ rounds: [sampleRound({ wrong: 1 })] });
    assert.notEqual(judgeRounds(PLUGIND, wrong).void, null);
    assert.notEqual(judgeRounds(PLUGIND, found({ deaths: 1 })).void, null);
    assert.equal(judgeRounds(contenderNamed('shared-unlocked'), wrong).void, null);
  });

  it('are void when there are none', () => {
    assert.notEqual(judgeRounds(PLUGIND, found({ rounds: [], sent: [] })).void, null);
  });
});
