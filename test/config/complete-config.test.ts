import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { completeConfig } from '../../src/config/complete-config.ts';
import type { PluginEntry } from '../../src/config/config-file.ts';
import type { PluginConfig } from '../../src/config/types.ts';

const baseDir = path.resolve('/base');

function complete(entry: PluginEntry): PluginConfig {
  const config = completeConfig(
    { plugins: { p: { wasm: 'p.wasm', ...entry } }, routes: [] },
    { origin: 'test', baseDir, overrides: {}, autoWorkers: () => 1 },
  );
  return config.plugins[0] ?? assert.fail();
}

describe('completeConfig', () => {
  it('makes the host side of allowedPaths absolute and keeps "ro:"', () => {
    const { allowedPaths } = complete({
      allowedPaths: { data: '/d', 'ro:../etc': '/e', 'ro:/abs': '/f' },
    });
    assert.deepEqual(allowedPaths, {
      [path.join(baseDir, 'data')]: '/d',
      [`ro:${path.resolve('/etc')}`]: '/e',
      [`ro:${path.resolve('/abs')}`]: '/f',
    });
  });
  it('keeps hosts and paths that are empty apart from those that are absent', () => {
    const { allowedHosts, allowedPaths } = complete({ allowedHosts: [], allowedPaths: {} });
    assert.deepEqual([allowedHosts, allowedPaths], [[], {}]);
    assert.deepEqual([complete({}).allowedHosts, complete({}).allowedPaths], [null, null]);
  });
  it('makes hostFunctions absolute', () => {
    assert.equal(complete({ hostFunctions: 'h.js' }).hostFunctions, path.join(baseDir, 'h.js'));
    assert.equal(complete({ hostFunctions: null }).hostFunctions, null);
  });
  it('fills sections key by key', () => {
    assert.deepEqual(complete({ queue: { max: 7 } }).queue, { max: 7, waitMs: 5_000 });
    assert.equal(complete({ memory: { maxPages: 9 } }).memory.maxOutputBytes, 8_388_608);
    assert.deepEqual(complete({ recycle: { pages: 5 } }).recycle, { calls: 0, pages: 5 });
  });
  it('keeps a config key that is named like a property of every object', () => {
    const config = JSON.parse('{"__proto__": "a", "toString": "b"}');
    assert.deepEqual(Object.entries(complete({ config }).config), Object.entries(config));
  });
});
