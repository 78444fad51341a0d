import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fetchItems } from '../../../src/plugin/manifest/fetch-items.ts';
import { startServer } from '../guest-http/fixtures/servers.ts';
import { data, sha256, wasm } from './fixtures/plugins.ts';

describe('fetchItems', () => {
  it('downloads what has a URL and nothing else', async (t) => {
    const server = await startServer(t, (_request, response) => response.end(wasm('a')));
    const url = `http://127.0.0.1:${server.port}/a.wasm`;
    const items = [
      { name: 'none', path: 'not-there.wasm' },
      { name: 'a', url, hash: sha256(wasm('a')) },
      data(),
    ];
    const [first, second, third] = await fetchItems('p', { wasm: items }, '/base');
    assert.deepEqual([first, third], [null, null]);
    assert.deepEqual(Buffer.from(second ?? []), wasm('a'));
    assert.equal(server.seen.length, 1);
  });

  it('holds them against their hashes, and asks for none when the manifest is wrong', async (t) => {
    const server = await startServer(t, (_request, response) => response.end(wasm('b')));
    const url = `http://127.0.0.1:${server.port}/`;
    const item = { url, hash: sha256(wasm('a')) };
    await assert.rejects(fetchItems('p', { wasm: [item] }, '/base'), {
      code: 'PLUGIN_COMPILE_FAILED',
    });
    assert.equal(server.seen.length, 1);
    await assert.rejects(fetchItems('p', { wasm: [item], wsam: 1 }, '/base'), {
      code: 'CONFIG_INVALID',
    });
    assert.equal(server.seen.length, 1);
  });
});
