/** From a wasm file or a manifest to what a plugin is: files, names, hashes, sizes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readPlugin } from '../../../src/plugin/manifest/read-plugin.ts';
import { data, folder, inline, plugin, refusalOf, sha256, wasm } from './fixtures/plugins.ts';

describe('a wasm file', () => {
  it('is a plugin of one file named main', async (t) => {
    const path = join(await folder(t, { 'a.wasm': wasm('a') }), 'a.wasm');
    const { files, hash, config } = await readPlugin(plugin({ kind: 'wasm', path }));
    assert.equal(files.length, 1);
    const [file] = files;
    assert.equal(file?.name, 'main');
    assert.equal(file?.origin, path);
    assert.deepEqual(Buffer.from(file?.bytes ?? []), wasm('a'));
    assert.equal(hash, sha256(wasm('a')));
    assert.equal(file?.hash, hash);
    assert.equal(file?.isHashGiven, false);
    assert.deepEqual(config, {});
  });

  it('is refused when it cannot be read', async (t) => {
    const dir = await folder(t, { file: 'x' });
    const pipe = join(dir, 'pipe');
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
    await symlink('loop', join(dir, 'loop'));
    for (const path of [
      join(dir, 'missing.wasm'),
      join(dir, 'file', 'below'),
      join(dir, 'loop'),
      dir,
      pipe,
      '/dev/zero',
    ]) {
      const { code, message } = await refusalOf(plugin({ kind: 'wasm', path }));
      assert.equal(code, 'PLUGIN_NOT_FOUND', path);
      assert.ok(message.startsWith(`plugins.p: ${path}: `), message);
    }
  });

  it('is refused when it is no core module', async (t) => {
    const component = Buffer.from('\0asm\x0d\0\x01\0', 'latin1');
    const contents: Record<string, Buffer | string> = {
      empty: '',
      short: '\0as',
      text: '(module)',
      'magic only': '\0asm',
      'no version': '\0asm\x01\0\0',
      future: Buffer.from('\0asm\x02\0\0\0', 'latin1'),
      component,
    };
    const dir = await folder(t, contents);
    for (const name of Object.keys(contents)) {
      const { code, message } = await refusalOf(plugin({ kind: 'wasm', path: join(dir, name) }));
      assert.equal(code, 'PLUGIN_COMPILE_FAILED', name);
      assert.equal(message.includes('component'), name === 'component', message);
    }
  });

  it('is refused when it is over the limit, which is named', async (t) => {
    const path = join(await folder(t, { 'a.wasm': wasm('a') }), 'a.wasm');
    const size = wasm('a').length;
    const source = plugin({ kind: 'wasm', path });
    await readPlugin(source, { maxWasmBytes: size });
    const { code, details } = await refusalOf(source, { maxWasmBytes: size - 1 });
    assert.equal(code, 'PLUGIN_COMPILE_FAILED');
    assert.deepEqual(details, { limit: 'maxWasmBytes', maxBytes: size - 1, bytes: size });
  });
});

describe('a manifest file', () => {
  it('has paths relative to its own folder', async (t) => {
    const dir = await folder(t, {
      'lib/code.wasm': wasm('code'),
      'lib/manifest.json': JSON.stringify({
        wasm: [{ path: 'code.wasm' }],
        allowed_paths: { 'ro:data': '/data', '../out': '/out' },
      }),
    });
    const path = join(dir, 'lib', 'manifest.json');
    const { files, allowedPaths } = await readPlugin(
      plugin({ kind: 'manifest-file', path }, { wasi: true }),
    );
    assert.equal(files[0]?.origin, join(dir, 'lib', 'code.wasm'));
    assert.deepEqual(allowedPaths, [
      { hostPath: join(dir, 'lib', 'data'), guestPath: '/data', readOnly: true },
      { hostPath: join(dir, 'out'), guestPath: '/out', readOnly: false },
    ]);
  });

  it('is refused when it is missing, no text, or no JSON', async (t) => {
    const dir = await folder(t, {
      'latin1.json': Buffer.from('{"wasm": "\xff"}', 'latin1'),
      'broken.json': '{"wasm": [\n}',
      'twice.json': '{"wasm": [], "wasm": []}',
      'toml.json': 'wasm = []',
    });
    const read = (name: string) =>
      refusalOf(plugin({ kind: 'manifest-file', path: join(dir, name) }));
    assert.equal((await read('missing.json')).code, 'PLUGIN_NOT_FOUND');
    for (const [name, place] of [
      ['latin1.json', ''],
      ['broken.json', 'line 2, column 1'],
      ['twice.json', 'line 1, column 14'],
      ['toml.json', 'line 1, column 1'],
    ] as const) {
      const { code, message } = await read(name);
      assert.equal(code, 'CONFIG_INVALID', name);
      assert.ok(message.startsWith(`plugins.p: ${name}: `), message);
      assert.ok(message.includes(place), message);
    }
  });

  it('is refused when it is over its limit without the data in it', async (t) => {
    const manifest = { wasm: [data(wasm('x'.repeat(100)))], config: { key: 'y'.repeat(100) } };
    const text = JSON.stringify(manifest);
    const path = join(await folder(t, { 'm.json': text }), 'm.json');
    const source = plugin({ kind: 'manifest-file', path });
    const length = text.length - (manifest.wasm[0]?.data.length ?? 0);
    await readPlugin(source, { maxManifestBytes: length });
    const { code, details } = await refusalOf(source, { maxManifestBytes: length - 1 });
    assert.equal(code, 'CONFIG_INVALID');
    assert.equal(details.limit, 'maxManifestBytes');
    const huge = await refusalOf(source, { maxManifestBytes: 10, maxWasmBytes: 10 });
    assert.equal(huge.details.limit, 'maxManifestBytes');
  });
});

describe('items', () => {
  const names = async (...wanted: readonly (string | null | undefined)[]): Promise<string[]> => {
    const items = wanted.map((name, index) => ({ ...data(wasm(String(index))), name }));
    return (await readPlugin(inline({ wasm: items }))).files.map((file) => file.name);
  };

  it('are read from data and path, hashed together in their order', async (t) => {
    const dir = await folder(t, { 'b.wasm': wasm('b') });
    const { files, hash } = await readPlugin(
      inline({ wasm: [{ ...data(wasm('a')), name: 'lib' }, { path: 'b.wasm' }] }, {}, dir),
    );
    assert.deepEqual(
      files.map(({ name, bytes, origin }) => [name, Buffer.from(bytes), origin]),
      [
        ['lib', wasm('a'), 'data'],
        ['main', wasm('b'), join(dir, 'b.wasm')],
      ],
    );
    assert.equal(hash, sha256(Buffer.concat([wasm('a'), wasm('b')])));
  });

  it('have exactly one main: the one of that name, else the last', async () => {
    assert.deepEqual(await names(undefined), ['main']);
    assert.deepEqual(await names('other'), ['main']);
    assert.deepEqual(await names('lib', undefined), ['lib', 'main']);
    assert.deepEqual(await names('lib', 'other'), ['lib', 'main']);
    assert.deepEqual(await names('main', 'lib'), ['main', 'lib']);
    assert.deepEqual(await names('main', null), ['main', '1']);
    assert.deepEqual(await names(undefined, undefined, undefined), ['0', '1', 'main']);
  });

  it('without a name go by their hash', async () => {
    const hash = sha256(wasm('a'));
    const { files } = await readPlugin(
      inline({ wasm: [{ ...data(wasm('a')), hash: hash.toUpperCase() }, data(wasm('b'))] }),
    );
    assert.deepEqual(
      files.map((file) => file.name),
      [hash, 'main'],
    );
  });

  it('are refused when two have one name', async () => {
    const twice = { wasm: [{ ...data(), name: 'a' }, { ...data(), name: 'a' }, data()] };
    const { code, message } = await refusalOf(inline(twice));
    assert.equal(code, 'CONFIG_INVALID');
    assert.match(message, /^plugins\.p: manifest: wasm\[1\]\.name: /);
    const byIndex = { wasm: [{ ...data(), name: '1' }, data(), { ...data(), name: 'main' }] };
    assert.equal((await refusalOf(inline(byIndex))).code, 'CONFIG_INVALID');
    const hash = sha256(wasm());
    const byHash = { wasm: [{ ...data(), hash }, { ...data(), hash }, data()] };
    assert.equal((await refusalOf(inline(byHash))).code, 'CONFIG_INVALID');
  });

  it('are refused under names of the engine', async () => {
    for (const name of [
      'extism:host/env',
      'wasi_snapshot_preview1',
      'plugind:host',
      'plugind:guest',
      'plugind:',
    ]) {
      const { code, message } = await refusalOf(inline({ wasm: [{ ...data(), name }, data()] }));
      assert.equal(code, 'CONFIG_INVALID');
      assert.match(message, /wasm\[0\]\.name/);
    }
    await readPlugin(inline({ wasm: [{ ...data(), name: 'extism:host/user' }, data()] }));
  });

  it('together stay within the limit', async () => {
    const items = [{ ...data(wasm('a')), name: 'a' }, data(wasm('b'))];
    const size = wasm('a').length;
    await readPlugin(inline({ wasm: items }), { maxWasmBytes: 2 * size });
    const { code, details } = await refusalOf(inline({ wasm: items }), {
      maxWasmBytes: 2 * size - 1,
    });
    assert.equal(code, 'PLUGIN_COMPILE_FAILED');
    assert.deepEqual(details, { limit: 'maxWasmBytes', maxBytes: size - 1, bytes: size });
  });
});

describe('hashes', () => {
  it('are held against the exact bytes before anything else is made of them', async () => {
    const right = sha256(wasm('a'));
    const wrong = sha256(wasm('b'));
    const { files } = await readPlugin(inline({ wasm: [{ ...data(wasm('a')), hash: right }] }));
    assert.equal(files[0]?.isHashGiven, true);
    const refusal = await refusalOf(inline({ wasm: [{ ...data(wasm('a')), hash: wrong }] }));
    assert.equal(refusal.code, 'PLUGIN_COMPILE_FAILED');
    assert.deepEqual(refusal.details, { expected: wrong, actual: right });
    assert.ok(refusal.message.includes(wrong) && refusal.message.includes(right));
    const notWasm = await refusalOf(inline({ wasm: [{ ...data(Buffer.from('x')), hash: wrong }] }));
    assert.equal(notWasm.details.expected, wrong, 'the hash is looked at first');
  });

  it('must be one', async () => {
    for (const hash of ['', 'abc', `sha256:${sha256(wasm())}`, 'g'.repeat(64), 7, {}]) {
      const { code, message } = await refusalOf(inline({ wasm: [{ ...data(), hash }] }));
      assert.equal(code, 'CONFIG_INVALID', String(hash));
      assert.match(message, /wasm\[0\]\.hash/);
    }
  });
});
