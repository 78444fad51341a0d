import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startLimitMs } from '../../src/config/start-limit.ts';
import { loadFile, minimalFile } from './fixture.ts';

describe('startLimitMs', () => {
  const limitOf = (...plugins: object[]): number => {
    const named = plugins.map((plugin, index) => [`p${index}`, { wasm: 'a.wasm', ...plugin }]);
    const routes = [{ path: '/', plugin: 'p0', function: 'f' }];
    const file = { watchdogMs: 60_000, shutdown: { drainMs: 60_000 }, routes };
    return startLimitMs(loadFile(minimalFile({ ...file, plugins: Object.fromEntries(named) })));
  };

  it("is 20 s, and each plugin's time-out to initialise and for its probe", () => {
    assert.equal(limitOf({ timeoutMs: 30_000 }), 80_000);
    assert.equal(limitOf({ timeoutMs: 30_000 }, { timeoutMs: 500 }), 81_000);
  });

  // Seen failing: a worker was killed as late as soon as it was started.
  it('is no longer than a timer can be', () => {
    const dayMs = 86_400_000;
    const plugin = { wasm: 'a.wasm', isolation: 'pool', poolSize: 1024, timeoutMs: dayMs - 5_000 };
    const routes = [{ path: '/', plugin: 'a', function: 'f' }];
    const file = {
      plugins: { a: plugin },
      routes,
      watchdogMs: dayMs,
      shutdown: { drainMs: dayMs },
    };
    assert.equal(startLimitMs(loadFile(minimalFile(file))), 2 ** 31 - 1);
  });

  it('counts every instance', () => {
    assert.equal(limitOf({ isolation: 'pool', poolSize: 8, timeoutMs: 1000 }), 29_000);
    assert.equal(limitOf({ isolation: 'fresh', timeoutMs: 1000 }), 25_000);
  });
});
