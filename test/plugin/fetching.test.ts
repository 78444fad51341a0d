/**
 * A plugin that fetches, from its configuration to the answer: inline where the engine suspends it,
 * in a thread elsewhere, also where it is configured inline.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { createPlugin } from '../../src/plugin/create-plugin.ts';
import { CAN_SUSPEND, itWhere } from '../helpers/engine.ts';
import { assembleGuest } from '../helpers/wat.ts';
import { startPublicServer } from '../http/fixture.ts';
import { startServer, type TestServer } from './guest-http/fixtures/servers.ts';

const RESPONSE_LIMIT = 10_000;

/** `get` makes the request that its input describes, and gives the body back. */
const GUEST = await assembleGuest(
  ['input_length', 'input_load_u8', 'alloc', 'store_u8', 'http_request', 'length', 'output_set'],
  `(memory 1)
  (func (export "get") (result i32) (local $i i64) (local $request i64) (local $body i64)
    (local.set $request (call $alloc (call $input_length)))
    (loop $next
      (call $store_u8 (i64.add (local.get $request) (local.get $i)) (call $input_load_u8 (local.get $i)))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $next (i64.lt_u (local.get $i) (call $input_length))))
    (local.set $body (call $http_request (local.get $request) (i64.const 0)))
    (call $output_set (local.get $body) (call $length (local.get $body)))
    (i32.const 0))
  (func (export "ok") (result i32) (i32.const 0))`,
);
const MANIFEST = { wasm: [{ data: Buffer.from(GUEST).toString('base64') }] };

function startSite(t: TestContext): Promise<TestServer> {
  return startServer(t, (request, response) => {
    if (request.url === '/never') return;
    if (request.url === '/large') response.end('x'.repeat(RESPONSE_LIMIT + 1));
    else if (request.url === '/away')
      response.writeHead(302, { location: 'http://localhost/' }).end();
    else response.end(`you asked for ${request.url}`);
  });
}

async function startFetching(t: TestContext, changes: Record<string, unknown> = {}) {
  const site = await startSite(t);
  const server = await startPublicServer({
    plugins: {
      p: {
        manifest: MANIFEST,
        allowedHosts: ['127.0.0.1'],
        timeoutMs: 4000,
        memory: { maxHttpResponseBytes: RESPONSE_LIMIT },
        ...changes,
      },
    },
    routes: ['get', 'ok'].map((name) => ({ path: `/${name}`, plugin: 'p', function: name })),
  });
  t.after(() => server.close());
  const post = async (path: string, body = ''): Promise<[number, string]> => {
    const reply = await fetch(server.url + path, { method: 'POST', body });
    const text = await reply.text();
    return [reply.status, reply.ok ? text : (JSON.parse(text) as { code: string }).code];
  };
  const get = (path: string, host = '127.0.0.1') =>
    post('/get', JSON.stringify({ url: `http://${host}:${site.port}${path}` }));
  return { site, server, post, get };
}

for (const execution of ['inline', 'thread'] as const) {
  describe(`a plugin that fetches, configured ${execution}`, () => {
    it('runs where it can wait, and says so', async (t) => {
      const { server } = await startFetching(t, { execution });
      const expected = execution === 'inline' && CAN_SUSPEND ? 'inline' : 'thread';
      assert.equal(server.plugin('p').description.execution, expected);
    });

    it('gets its answers, each caller his own', async (t) => {
      const { get, site } = await startFetching(t, { execution, isolation: 'pool', poolSize: 3 });
      const paths = Array.from({ length: 60 }, (_, index) => `/${index}`);
      const answers = await Promise.all(paths.map((path) => get(path)));
      assert.deepEqual(
        answers,
        paths.map((path) => [200, `you asked for ${path}`]),
      );
      assert.equal(site.seen.length, 60);
    });

    it('has one caller at a time, also while it waits', async (t) => {
      const { get, post, site, server } = await startFetching(t, { execution, timeoutMs: 500 });
      const waiting = get('/never');
      while (site.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
      const next = post('/ok');
      while (server.plugin('p').waiters() === 0)
        await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(await waiting, [504, 'CALL_DEADLINE']);
      assert.deepEqual(await next, [200, '']);
    });

    it('may not go elsewhere, nor be sent there', async (t) => {
      const { get, site } = await startFetching(t, { execution });
      assert.deepEqual(await get('/', 'localhost'), [500, 'PLUGIN_ERROR']);
      assert.equal(site.seen.length, 0);
      assert.deepEqual(await get('/away'), [500, 'PLUGIN_ERROR']);
      assert.equal(site.seen.length, 1);
      assert.deepEqual(await get('/again'), [200, 'you asked for /again']);
    });

    it('waits no longer than its call may take, and the request is given up', async (t) => {
      const { get, site } = await startFetching(t, { execution, timeoutMs: 250 });
      for (let round = 0; round < 3; round++) {
        const startedAt = performance.now();
        assert.deepEqual(await get('/never'), [504, 'CALL_DEADLINE']);
        assert.ok(performance.now() - startedAt >= 249);
        const socket = site.seen.at(-1)?.socket;
        if (socket?.destroyed === false) await once(socket, 'close');
        assert.deepEqual(await get('/fine'), [200, 'you asked for /fine']);
      }
    });

    it('gets no longer answer than it may have', async (t) => {
      const { get } = await startFetching(t, { execution });
      assert.deepEqual(await get('/large'), [502, 'PLUGIN_LIMIT']);
      assert.deepEqual(await get('/small'), [200, 'you asked for /small']);
    });

    it('is refused everything where no host is allowed, and then needs no thread', async (t) => {
      const { get, site, server } = await startFetching(t, { execution, allowedHosts: [] });
      assert.equal(server.plugin('p').description.execution, execution);
      assert.deepEqual(await get('/'), [200, '']);
      assert.equal(site.seen.length, 0);
    });
  });
}

describe('a plugin that waits for an async host function, inline', () => {
  // Seen failing without the timer of a suspended guest: the call never ended.
  itWhere(CAN_SUSPEND)('ends at its deadline though the function never settles', async () => {
    const wasm = await assembleGuest(
      [],
      `(import "host" "never" (func $never))
      (func (export "never") (result i32) (call $never) (i32.const 0))
      (func (export "ok") (result i32) (i32.const 0))`,
    );
    const never = async (): Promise<void> => new Promise(() => {});
    const plugin = await createPlugin({ wasm, timeoutMs: 100, hostFunctions: { host: { never } } });
    for (let round = 0; round < 5; round++) {
      const startedAt = performance.now();
      await assert.rejects(plugin.call('never'), { code: 'CALL_DEADLINE' });
      assert.ok(performance.now() - startedAt >= 99);
      assert.equal((await plugin.call('ok')).byteLength, 0);
    }
    await plugin.close();
  });

  itWhere(!CAN_SUSPEND)('cannot have functions of its program in a thread', async () => {
    const hostFunctions = { host: { unused: () => 0 } };
    await assert.rejects(createPlugin({ wasm: GUEST, allowedHosts: ['a.test'], hostFunctions }), {
      code: 'CONFIG_INVALID',
    });
  });
});
