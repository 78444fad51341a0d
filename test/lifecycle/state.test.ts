import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lifecycle, type LifecycleState } from '../../src/lifecycle/state.ts';

describe('Lifecycle', () => {
  it('begins with starting and tells of every change once', () => {
    const told: [LifecycleState, LifecycleState][] = [];
    const lifecycle = new Lifecycle((state, previous) => told.push([state, previous]));
    assert.equal(lifecycle.state, 'starting');
    for (const state of ['ready', 'ready', 'draining', 'closed', 'closed'] as const) {
      lifecycle.advance(state);
    }
    assert.deepEqual(told, [
      ['ready', 'starting'],
      ['draining', 'ready'],
      ['closed', 'draining'],
    ]);
  });

  it('never goes back and never repeats', () => {
    const lifecycle = new Lifecycle();
    assert.equal(lifecycle.advance('starting'), false);
    assert.equal(lifecycle.advance('draining'), true);
    for (const state of ['starting', 'ready', 'draining'] as const) {
      assert.equal(lifecycle.advance(state), false);
      assert.equal(lifecycle.state, 'draining');
    }
  });

  it('may leave out what it never reached', () => {
    const lifecycle = new Lifecycle();
    assert.equal(lifecycle.advance('closed'), true);
    assert.equal(lifecycle.state, 'closed');
  });

  it('has changed before it tells of the change', () => {
    const seen: LifecycleState[] = [];
    const lifecycle: Lifecycle = new Lifecycle(() => seen.push(lifecycle.state));
    lifecycle.advance('ready');
    assert.deepEqual(seen, ['ready']);
  });
});
