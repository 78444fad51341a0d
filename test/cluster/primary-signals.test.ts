import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import { isStop, PrimarySignals } from '../../src/cluster/primary-signals.ts';

describe('PrimarySignals', () => {
  it('keeps what comes before somebody follows, then passes on', () => {
    const source = new EventEmitter();
    const signals = new PrimarySignals(source);
    source.emit('SIGHUP');
    source.emit('SIGUSR2');
    const heard: string[] = [];
    signals.follow((signal) => heard.push(signal));
    assert.deepEqual(heard, ['SIGHUP', 'SIGUSR2']);
    source.emit('SIGTERM');
    source.emit('SIGHUP');
    assert.deepEqual(heard, ['SIGHUP', 'SIGUSR2', 'SIGTERM', 'SIGHUP']);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`is told to stop by ${signal}, and by no signal for a roll`, async () => {
      const source = new EventEmitter();
      const { stopped } = new PrimarySignals(source);
      let isStopped = false;
      void stopped.then(() => {
        isStopped = true;
      });
      source.emit('SIGHUP');
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(isStopped, false);
      // Node gives name and number.
      source.emit(signal, signal, 15);
      assert.equal(await stopped, undefined);
      assert.deepEqual([isStop(signal), isStop('SIGHUP'), isStop('SIGUSR2')], [true, false, false]);
    });
  }
});
