/** Extism's manifest, key by key. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatProblem, type Problem } from '../../../src/config/problem.ts';
import type { Manifest } from '../../../src/plugin/manifest/manifest.ts';
import { parseManifest } from '../../../src/plugin/manifest/parse-manifest.ts';
import { data } from './fixtures/plugins.ts';

function parse(value: unknown): { manifest: Manifest; problems: readonly string[] } {
  const problems: Problem[] = [];
  const manifest = parseManifest(value, '/base', problems);
  return { manifest, problems: problems.map(formatProblem) };
}

/** Where the problems are. */
function places(value: unknown): readonly string[] {
  return parse(value).problems.map((line) => line.split(': ')[0] ?? '');
}

const ITEMS = [data()];

describe('parseManifest', () => {
  it('takes every key of Extism, in both spellings', () => {
    const expected = {
      config: { greeting: 'hello' },
      allowedHosts: ['*.example.com'],
      allowedPaths: [{ hostPath: '/base/in', guestPath: '/in', readOnly: true }],
      timeoutMs: 500,
      memory: { maxPages: 10, maxVarBytes: 20, maxHttpResponseBytes: 30 },
    };
    const common = { $schema: 'schema.json', wasm: ITEMS, config: expected.config };
    for (const value of [
      {
        ...common,
        allowed_hosts: expected.allowedHosts,
        allowed_paths: { 'ro:in': '/in' },
        timeout_ms: 500,
        memory: { max_pages: 10, max_var_bytes: 20, max_http_response_bytes: 30 },
      },
      {
        ...common,
        allowedHosts: expected.allowedHosts,
        allowedPaths: { 'ro:in': '/in' },
        timeoutMs: 500,
        memory: { maxPages: 10, maxVarBytes: 20, maxHttpResponseBytes: 30 },
      },
    ]) {
      const { manifest, problems } = parse(value);
      assert.deepEqual(problems, []);
      const { items, ...rest } = manifest;
      assert.deepEqual(rest, expected);
      assert.equal(items.length, 1);
    }
  });

  it('takes null for what may be absent', () => {
    const { manifest, problems } = parse({
      wasm: [{ ...data(), name: null, hash: null, url: null }],
      allowed_hosts: null,
      allowed_paths: null,
      timeout_ms: null,
      config: null,
      memory: { max_pages: null, max_http_response_bytes: null, max_var_bytes: null },
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(
      { ...manifest, items: [] },
      {
        items: [],
        config: {},
        allowedHosts: null,
        allowedPaths: null,
        timeoutMs: null,
        memory: { maxPages: null, maxVarBytes: null, maxHttpResponseBytes: null },
      },
    );
  });

  it('reads 0 as no limit for time and pages, as nothing at all for bytes', () => {
    const { manifest } = parse({
      wasm: ITEMS,
      timeout_ms: 0,
      memory: { max_pages: 0, max_http_response_bytes: 0, max_var_bytes: 0 },
    });
    assert.equal(manifest.timeoutMs, null);
    assert.deepEqual(manifest.memory, { maxPages: null, maxVarBytes: 0, maxHttpResponseBytes: 0 });
  });

  it('refuses keys it does not know by name, with the one that was meant', () => {
    const { problems } = parse({
      wasm: [{ ...data(), metadata: {} }],
      timeout: 5,
      allowed_host: [],
      memory: { max_page: 1 },
      runtime: {},
    });
    assert.deepEqual(
      problems.map((line) => line.replace(/; did.*"(.*)".*/, ' $1')).sort(),
      [
        'allowed_host: is not a known key allowed_hosts',
        'memory.max_page: is not a known key max_pages',
        'runtime: is not a known key',
        'timeout: is not a known key timeoutMs',
        'wasm[0].metadata: is not a known key',
      ].sort(),
    );
  });

  it('refuses one key in two spellings', () => {
    assert.deepEqual(
      places({ wasm: ITEMS, timeout_ms: 1, timeoutMs: 2, memory: { max_pages: 1, maxPages: 1 } }),
      ['timeoutMs', 'memory.maxPages'],
    );
  });

  it('reports every problem at once', () => {
    assert.deepEqual(
      places({
        wasm: [7, {}, { path: '' }, { data: 'x' }],
        config: { a: 1, b: 'x', c: null },
        allowed_hosts: ['ok.test', 'http://x', 5],
        allowed_paths: { a: 1 },
        timeout_ms: -1,
        memory: { max_pages: 1.5, max_var_bytes: '7', max_http_response_bytes: 2 ** 60 },
      }),
      [
        'wasm[0]',
        'wasm[1]',
        'wasm[2].path',
        'wasm[3].data',
        'config.a',
        'config.c',
        'allowed_hosts[1]',
        'allowed_hosts[2]',
        'allowed_paths.a',
        'timeout_ms',
        'memory.max_pages',
        'memory.max_var_bytes',
        'memory.max_http_response_bytes',
      ],
    );
  });

  it('refuses what is no manifest', () => {
    for (const value of [null, 7, 'x', [], true]) assert.deepEqual(places(value).length, 1);
    for (const wasm of [undefined, null, {}, [], 'x', Array(101).fill(data())]) {
      assert.ok(places({ wasm }).every((place) => place === 'wasm'));
      assert.ok(places({ wasm }).length > 0);
    }
    assert.deepEqual(places({ wasm: ITEMS, memory: [], config: [], allowed_hosts: {} }), [
      'config',
      'allowed_hosts',
      'memory',
    ]);
  });

  it('shows no value of config, headers or URLs', () => {
    const { problems } = parse({
      wasm: [
        { url: 'https://user:secret@a.test/', hash: null },
        { url: 'http://a.test/?secret', hash: null, headers: { a: 'secret\n' } },
        { url: 'secret', hash: null },
      ],
      config: { key: ['secret'] },
    });
    assert.ok(problems.length >= 5);
    assert.doesNotMatch(problems.join(), /secret/);
  });

  it('keeps a config key named like a part of every object', () => {
    const { manifest } = parse(JSON.parse('{"config": {"__proto__": "a", "toString": "b"}}'));
    assert.deepEqual(Object.entries(manifest.config), [
      ['__proto__', 'a'],
      ['toString', 'b'],
    ]);
  });
});

describe('an item', () => {
  it('has exactly one source', () => {
    for (const item of [
      {},
      { name: 'x' },
      { path: 'a', ...data() },
      { path: 'a', url: 'https://a.test/', hash: null },
    ]) {
      assert.deepEqual(places({ wasm: [item] }), ['wasm[0]']);
    }
    assert.deepEqual(places({ wasm: [{ path: 'a', headers: {}, method: 'GET' }] }), [
      'wasm[0].headers',
      'wasm[0].method',
    ]);
  });

  it('has a name that can be imported from', () => {
    for (const name of ['', 'a\0', 7, 'x'.repeat(257)]) {
      assert.deepEqual(places({ wasm: [{ ...data(), name }] }), ['wasm[0].name']);
    }
    assert.deepEqual(places({ wasm: [{ ...data(), name: '\u{1F600}/any thing' }] }), []);
  });

  it('has data in strict base64', () => {
    const good = data().data;
    for (const text of [good.slice(1), `${good}\n`, `*${good.slice(1)}`, `=${good.slice(1)}`]) {
      assert.deepEqual(places({ wasm: [{ data: text }] }), ['wasm[0].data'], text);
    }
    for (const value of ['a===', '====', 'ab=c', { ptr: 1, len: 2 }, 7, '-_-_']) {
      assert.deepEqual(places({ wasm: [{ data: value }] }), ['wasm[0].data']);
    }
    assert.deepEqual(places({ wasm: [{ data: 'AGFzbQ==' }, { data: 'AGFzbQE=' }] }), []);
  });

  it('has a URL over TLS or on this machine', () => {
    for (const url of [
      'https://a.test/x.wasm',
      'HTTPS://10.0.0.1:8443/',
      'http://127.0.0.1:1/x',
      'http://127.9.9.9/',
      'http://localhost:1/x',
      'http://[::1]:1/x',
    ]) {
      assert.deepEqual(places({ wasm: [{ url, hash: null }] }), [], url);
    }
    for (const url of [
      'http://a.test/x.wasm',
      'http://localhost.a.test/',
      'http://127.0.0.1.a.test/',
      'http://0.0.0.0/',
      'http://10.0.0.1/',
      'file:///a.wasm',
      'ftp://a.test/',
      'data:application/wasm,x',
      '/a.wasm',
      'https://user@a.test/',
      7,
    ]) {
      assert.deepEqual(places({ wasm: [{ url, hash: null }] }), ['wasm[0].url'], String(url));
    }
  });

  it('has a hash beside its URL, or says null', () => {
    const url = 'https://a.test/x.wasm';
    assert.deepEqual(places({ wasm: [{ url }] }), ['wasm[0].hash']);
    assert.deepEqual(places({ wasm: [{ url, hash: null }] }), []);
    assert.deepEqual(places({ wasm: [{ url, hash: 'a'.repeat(64) }] }), []);
  });

  it('has a method and headers that can be sent', () => {
    const url = 'https://a.test/x.wasm';
    const item = { url, hash: null };
    const good = { ...item, method: 'post', headers: { Authorization: 'x' } };
    const { manifest, problems } = parse({ wasm: [good] });
    assert.deepEqual(problems, []);
    const source = manifest.items[0]?.source;
    assert.ok(source?.kind === 'url');
    assert.equal(source.method, 'POST');
    assert.deepEqual([...source.headers], [['authorization', 'x']]);
    assert.deepEqual(
      places({
        wasm: [
          { ...item, method: 'a b', headers: { a: 'b\r\nc: d' } },
          { ...item, headers: [] },
        ],
      }),
      ['wasm[0].method', 'wasm[0].headers', 'wasm[1].headers'],
    );
  });
});

describe('allowed paths', () => {
  it('lead from the host to the guest', () => {
    const { manifest } = parse({
      wasm: ITEMS,
      allowed_paths: { '.': '/here', '/abs': 'rel', 'ro:/abs/../ro': '/ro' },
    });
    assert.deepEqual(manifest.allowedPaths, [
      { hostPath: '/base', guestPath: '/here', readOnly: false },
      { hostPath: '/abs', guestPath: 'rel', readOnly: false },
      { hostPath: '/ro', guestPath: '/ro', readOnly: true },
    ]);
  });

  it('name a directory and a guest path, each once', () => {
    for (const allowed_paths of [
      { '': '/a' },
      { 'ro:': '/a' },
      { a: '' },
      { a: '/x\0' },
      { 'a\0': '/x' },
      { a: '/x', b: '/x' },
      { a: '/x', './a': '/y' },
      { a: '/x', 'ro:a': '/y' },
    ]) {
      const found = places({ wasm: ITEMS, allowed_paths });
      assert.equal(found.length, 1, JSON.stringify(allowed_paths));
      assert.match(found[0] ?? '', /^allowed_paths/);
    }
  });
});
