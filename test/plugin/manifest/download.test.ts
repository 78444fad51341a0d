/** Items that a manifest has a URL for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readPlugin } from '../../../src/plugin/manifest/read-plugin.ts';
import { startRawServer, startServer } from '../guest-http/fixtures/servers.ts';
import { inline, refusalOf, sha256, wasm } from './fixtures/plugins.ts';

const HASH = sha256(wasm('a'));

describe('a url item', () => {
  it('is fetched with its method and headers, and checked', async (t) => {
    const server = await startServer(t, (_request, response) => response.end(wasm('a')));
    const url = `http://localhost:${server.port}/a.wasm?token=secret`;
    const { files } = await readPlugin(
      inline({ wasm: [{ url, method: 'post', headers: { 'X-Key': 'k', Host: 'x' }, hash: HASH }] }),
    );
    assert.deepEqual(Buffer.from(files[0]?.bytes ?? []), wasm('a'));
    assert.equal(files[0]?.origin, `http://localhost:${server.port}/a.wasm`);
    assert.equal(files[0]?.isHashGiven, true);
    const [request] = server.seen;
    assert.equal(request?.method, 'POST');
    assert.equal(request?.url, '/a.wasm?token=secret');
    assert.equal(request?.headers['x-key'], 'k');
    assert.equal(request?.headers.host, `localhost:${server.port}`);
    assert.match(request?.headers.accept ?? '', /^application\/wasm/);
  });

  it('with other bytes than its hash says is refused, without one it is taken', async (t) => {
    const server = await startServer(t, (_request, response) => response.end(wasm('b')));
    const url = `http://127.0.0.1:${server.port}/`;
    const { code, details } = await refusalOf(inline({ wasm: [{ url, hash: HASH }] }));
    assert.equal(code, 'PLUGIN_COMPILE_FAILED');
    assert.deepEqual(details, { expected: HASH, actual: sha256(wasm('b')) });
    const { files, hash } = await readPlugin(inline({ wasm: [{ url, hash: null }] }));
    assert.equal(hash, sha256(wasm('b')));
    assert.equal(files[0]?.isHashGiven, false);
  });

  it('follows redirects to this machine or over TLS only, and takes no secrets along', async (t) => {
    const target = await startServer(t, (_request, response) => response.end(wasm('a')));
    let location = '';
    const server = await startServer(t, (_request, response) => {
      response.writeHead(302, { location }).end();
    });
    const url = `http://127.0.0.1:${server.port}/`;
    const headers = { Authorization: 'x', 'Private-Token': 'y', Accept: 'a/b' };
    location = `http://127.0.0.1:${target.port}/`;
    await readPlugin(inline({ wasm: [{ url, hash: HASH, headers }] }));
    const seen = target.seen[0]?.headers ?? {};
    assert.equal(seen.authorization, undefined);
    assert.equal(seen['private-token'], undefined);
    assert.equal(seen.accept, 'a/b');
    for (location of ['http://a.test/', 'file:///etc/hostname', 'http://u:p@127.0.0.1/']) {
      const { code, details } = await refusalOf(inline({ wasm: [{ url, hash: HASH }] }));
      assert.equal(code, 'PLUGIN_NOT_FOUND', location);
      assert.equal(details.reason, 'redirects', location);
    }
  });

  it('that is not answered with 200 is refused', async (t) => {
    let status = 0;
    const server = await startServer(t, (_request, response) => {
      response.writeHead(status).end(status === 204 ? undefined : wasm('a'));
    });
    for (status of [201, 204, 206, 302, 404, 500]) {
      const url = `http://127.0.0.1:${server.port}/a?secret`;
      const { code, message, details } = await refusalOf(inline({ wasm: [{ url, hash: HASH }] }));
      assert.equal(code, 'PLUGIN_NOT_FOUND');
      assert.deepEqual(details, { status });
      assert.equal(
        message,
        `plugins.p: http://127.0.0.1:${server.port}/a: answers with status ${status}`,
      );
    }
  });

  it('is bounded in size', async (t) => {
    const port = await startRawServer(t, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const more = (): void => {
        while (!socket.destroyed && socket.write(`4000\r\n${'x'.repeat(0x4000)}\r\n`));
      };
      socket.on('drain', more);
      more();
    });
    const item = { url: `http://127.0.0.1:${port}/`, hash: HASH };
    const { code, details } = await refusalOf(inline({ wasm: [item] }), {
      maxWasmBytes: 1_000_000,
    });
    assert.equal(code, 'PLUGIN_COMPILE_FAILED');
    assert.deepEqual(details, { limit: 'maxWasmBytes', maxBytes: 1_000_000 });
  });

  it('is bounded in time, all downloads together', async (t) => {
    const silent = await startServer(t, () => {});
    const trickling = await startServer(t, (_request, response) => response.write('\0asm'));
    for (const { port } of [silent, trickling]) {
      const item = { url: `http://127.0.0.1:${port}/`, hash: HASH };
      const { code, details } = await refusalOf(inline({ wasm: [item] }), {
        downloadTimeoutMs: 50,
      });
      assert.equal(code, 'PLUGIN_NOT_FOUND');
      assert.deepEqual(details, { downloadTimeoutMs: 50 });
    }
  });

  it('that cannot be reached is refused with the system’s code', async (t) => {
    const port = await startRawServer(t, (socket) => socket.destroy());
    for (const scheme of ['http', 'https']) {
      const item = { url: `${scheme}://127.0.0.1:${port}/`, hash: HASH };
      const { code, details } = await refusalOf(inline({ wasm: [item] }));
      assert.equal(code, 'PLUGIN_NOT_FOUND');
      assert.equal(details.reason, 'network');
    }
  });
});
