/** Who decides where manifest and configuration both say something. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PLUGIN_DEFAULTS } from '../../../src/config/defaults.ts';
import { describeDefinition } from '../../../src/plugin/manifest/describe-definition.ts';
import { readPlugin } from '../../../src/plugin/manifest/read-plugin.ts';
import { data, inline, refusalOf } from './fixtures/plugins.ts';

const { memory } = PLUGIN_DEFAULTS;

describe('limits', () => {
  it('are ours where the manifest has none', async () => {
    const definition = await readPlugin(inline({ wasm: [data()] }, { timeoutMs: 77 }));
    assert.equal(definition.timeoutMs, 77);
    assert.deepEqual(definition.memory, memory);
    assert.deepEqual(definition.sources.timeoutMs, { by: 'configuration' });
    for (const field of ['maxPages', 'maxVarBytes', 'maxHttpResponseBytes', 'maxOutputBytes']) {
      const source = definition.sources[`memory.${field}` as keyof typeof definition.sources];
      assert.deepEqual(source, { by: 'default' });
    }
  });

  it('are the stricter ones, whoever has them, each by itself', async () => {
    const manifest = {
      wasm: [data()],
      timeout_ms: 500,
      memory: { max_pages: 5_000, max_var_bytes: 0, max_http_response_bytes: 10 },
    };
    const definition = await readPlugin(
      inline(manifest, { timeoutMs: 400, memory: { ...memory, maxHttpResponseBytes: 20 } }),
    );
    assert.equal(definition.timeoutMs, 400);
    assert.deepEqual(definition.memory, { ...memory, maxVarBytes: 0, maxHttpResponseBytes: 10 });
    const { sources } = definition;
    assert.deepEqual(sources.timeoutMs, { by: 'configuration', setAside: 500 });
    assert.deepEqual(sources['memory.maxPages'], { by: 'default', setAside: 5_000 });
    assert.deepEqual(sources['memory.maxVarBytes'], { by: 'manifest' });
    assert.deepEqual(sources['memory.maxHttpResponseBytes'], { by: 'manifest' });
  });

  it('are not lifted by a manifest', async () => {
    const manifest = {
      wasm: [data()],
      timeout_ms: 0,
      memory: { max_pages: 0, max_var_bytes: 1e12, max_http_response_bytes: 1e12 },
    };
    const definition = await readPlugin(inline(manifest));
    assert.equal(definition.timeoutMs, PLUGIN_DEFAULTS.timeoutMs);
    assert.deepEqual(definition.memory, memory);
  });
});

describe('config', () => {
  it('is merged, the configuration over the manifest', async () => {
    const manifest = { wasm: [data()], config: { a: '1', b: '1' } };
    const { config, sources } = await readPlugin(inline(manifest, { config: { b: '2', c: '2' } }));
    assert.deepEqual(config, { a: '1', b: '2', c: '2' });
    assert.equal(sources.config.by, 'manifest and configuration');
    assert.equal((await readPlugin(inline(manifest))).sources.config.by, 'manifest');
    const all = await readPlugin(inline(manifest, { config: { a: '', b: '' } }));
    assert.equal(all.sources.config.by, 'configuration');
    assert.equal((await readPlugin(inline({ wasm: [data()] }))).sources.config.by, 'default');
  });
});

describe('hosts and paths', () => {
  const manifest = {
    wasm: [data()],
    allowed_hosts: ['a.test'],
    allowed_paths: { in: '/in' },
  };

  it('are the manifest’s where the configuration has none', async () => {
    const definition = await readPlugin(inline(manifest, { wasi: true }));
    assert.deepEqual(definition.allowedHosts, ['a.test']);
    assert.deepEqual(definition.allowedPaths, [
      { hostPath: '/base/dir/in', guestPath: '/in', readOnly: false },
    ]);
    assert.deepEqual(definition.sources.allowedHosts, { by: 'manifest' });
  });

  it('are the configuration’s where it has any', async () => {
    const { allowedHosts, allowedPaths, sources } = await readPlugin(
      inline(manifest, {
        wasi: true,
        allowedHosts: ['b.test'],
        allowedPaths: { 'ro:/other': '/other' },
      }),
    );
    assert.deepEqual(allowedHosts, ['b.test']);
    assert.deepEqual(allowedPaths, [{ hostPath: '/other', guestPath: '/other', readOnly: true }]);
    assert.deepEqual(sources.allowedHosts, { by: 'configuration', setAside: ['a.test'] });
    assert.equal(sources.allowedPaths.by, 'configuration');
  });

  it('are none where the configuration says so', async () => {
    const { allowedHosts, allowedPaths, sources } = await readPlugin(
      inline(manifest, { wasi: true, allowedHosts: [], allowedPaths: {} }),
    );
    assert.deepEqual(allowedHosts, []);
    assert.deepEqual(allowedPaths, []);
    assert.deepEqual(sources.allowedHosts, { by: 'configuration', setAside: ['a.test'] });
    assert.equal(sources.allowedPaths.by, 'configuration');
  });

  it('are refused where they could not work', async () => {
    const paths = await refusalOf(inline(manifest));
    assert.equal(paths.code, 'CONFIG_INVALID');
    assert.match(paths.message, /^plugins\.p: /);
    const hosts = await refusalOf(
      inline({ wasm: [data()] }, { allowedHosts: ['ok.test', 'a.test:80', 'x/y'] }),
    );
    assert.equal(hosts.code, 'CONFIG_INVALID');
    assert.deepEqual(
      hosts.message.split('\n').map((line) => line.split(': ')[0]),
      ['plugins.p.allowedHosts[1]', 'plugins.p.allowedHosts[2]'],
    );
  });
});

describe('describeDefinition', () => {
  it('has a row for each field, with who set and who enforces it, and no secret', async () => {
    const manifest = {
      wasm: [{ ...data(), hash: undefined }],
      config: { token: 'secret' },
      timeout_ms: 5_000,
      allowed_hosts: ['a.test', '*.b.test'],
      allowed_paths: { 'ro:in': '/in' },
      memory: { max_pages: 3 },
    };
    const rows = describeDefinition(await readPlugin(inline(manifest, { wasi: true })));
    const values = Object.fromEntries(rows.map(({ field, value }) => [field, value]));
    assert.equal(values.config, 'token');
    assert.equal(values.allowed_hosts, 'a.test, *.b.test');
    assert.equal(values.allowed_paths, 'ro:/base/dir/in -> /in');
    assert.equal(values.timeout_ms, '1000');
    assert.equal(values['memory.max_pages'], '3');
    const timeout = rows.find(({ field }) => field === 'timeout_ms');
    assert.equal(timeout?.setBy, 'default (the manifest allows 5000)');
    assert.ok(rows.every(({ setBy, enforcedBy }) => setBy !== '' && enforcedBy !== ''));
    assert.doesNotMatch(JSON.stringify(rows), /secret/);
    for (const field of Object.keys(manifest).filter((key) => !['wasm', 'memory'].includes(key))) {
      assert.ok(field in values, field);
    }
  });
});
