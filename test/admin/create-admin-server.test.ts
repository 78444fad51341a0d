import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { type AdminServerOptions, createAdminServer } from '../../src/admin/create-admin-server.ts';
import type { LifecycleState } from '../../src/lifecycle/state.ts';
import { ownProcess, quietFeed } from './fixtures/own-process.ts';

const created: FastifyInstance[] = [];
const TEXT = '# TYPE a counter\na{worker="0"} 1\n';
const STATUS = { expectedWorkers: 1, primary: null, workers: [ownProcess().status()] };
const LOCAL = { host: 'localhost:9464' };

function create(changes: Partial<AdminServerOptions> = {}): FastifyInstance {
  const app = createAdminServer({
    host: '127.0.0.1',
    token: null,
    cluster: { metrics: () => Promise.resolve(TEXT), status: () => Promise.resolve(STATUS) },
    live: quietFeed(),
    state: () => 'ready',
    requestIdPrefix: 'a-',
    onInternalError: () => {},
    ...changes,
  });
  created.push(app);
  return app;
}

function get(app: FastifyInstance, url: string, options: InjectOptions = {}) {
  return app.inject({ url, headers: LOCAL, ...options });
}

describe('createAdminServer', () => {
  afterEach(() => Promise.all(created.splice(0).map((app) => app.close())));

  it('answers /metrics as Prometheus wants it and lets go of the scraper', async () => {
    const reply = await get(create(), '/metrics');
    assert.equal(reply.statusCode, 200);
    assert.equal(reply.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(reply.headers.connection, 'close');
    assert.equal(reply.body, TEXT);
  });

  it('answers /status with every worker', async () => {
    const reply = await get(create(), '/status');
    assert.equal(reply.headers['content-type'], 'application/json; charset=utf-8');
    assert.deepEqual(reply.json(), STATUS);
  });

  it('is alive in every state, and ready in one', async () => {
    let state: LifecycleState = 'starting';
    const app = create({ state: () => state });
    for (const [next, status] of [
      ['starting', 503],
      ['ready', 200],
      ['draining', 503],
      ['closed', 503],
    ] as const) {
      state = next;
      const live = await get(app, '/livez');
      assert.deepEqual([live.statusCode, live.body], [200, 'ok']);
      const ready = await get(app, '/readyz');
      assert.equal(ready.statusCode, status);
      const reasons = status === 200 ? [] : [`the worker is ${next}`];
      assert.deepEqual(ready.json(), { state: next, reasons });
    }
  });

  it('is ready while it drains where others serve on, and sends its clients to them', async () => {
    let reasons: readonly string[] = [];
    const app = create({
      state: () => 'draining',
      isRetired: () => true,
      notReady: () => reasons,
    });
    const reply = await get(app, '/readyz');
    assert.deepEqual([reply.statusCode, reply.headers.connection], [200, 'close']);
    assert.deepEqual(reply.json(), { state: 'draining', reasons: [] });
    reasons = ['slot 1 restarts'];
    assert.equal((await get(app, '/readyz')).statusCode, 503);
  });

  it('answers HEAD like GET, without the body', async () => {
    const app = create();
    for (const url of ['/metrics', '/status', '/livez', '/readyz']) {
      const head = await get(app, url, { method: 'HEAD' });
      const { statusCode, headers } = await get(app, url);
      assert.equal(head.body, '');
      assert.equal(head.statusCode, statusCode);
      assert.equal(head.headers['content-length'], headers['content-length']);
    }
  });

  it('answers a path or method there is not with a problem document', async () => {
    const app = create();
    for (const options of [
      { url: '/nope' },
      { url: '/metrics/' },
      { url: '/metrics', method: 'POST' },
    ] as const) {
      const reply = await app.inject({ headers: LOCAL, ...options });
      assert.equal(reply.statusCode, 404);
      assert.equal(reply.headers['content-type'], 'application/problem+json');
      assert.equal(reply.json().code, 'ROUTE_NOT_FOUND');
      assert.match(reply.json().requestId, /^a-/);
    }
  });

  it('keeps every reply out of caches and sniffers, and open to no other origin', async () => {
    const app = create({ token: 'secret' });
    for (const url of ['/metrics', '/status', '/livez', '/readyz', '/nope']) {
      const { headers } = await get(app, url, {
        headers: { ...LOCAL, origin: 'http://evil.example' },
      });
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['cache-control'], 'no-store');
      assert.ok(!Object.keys(headers).some((name) => name.startsWith('access-control')));
    }
  });

  it('hides what failed from the client and tells the log', async () => {
    const told: unknown[] = [];
    const app = create({
      cluster: {
        metrics: () => Promise.reject(new Error('secret detail')),
        status: () => Promise.resolve(STATUS),
      },
      onInternalError: (error, { requestId }) => told.push([error.code, error.message, requestId]),
    });
    const reply = await get(app, '/metrics');
    assert.equal(reply.statusCode, 500);
    assert.equal(reply.json().code, 'INTERNAL');
    assert.ok(!reply.body.includes('secret detail'));
    assert.deepEqual(told, [['INTERNAL', 'secret detail', reply.json().requestId]]);
    assert.equal((await get(app, '/status')).statusCode, 200);
  });

  it('sets every limit of its server itself', () => {
    const { server, initialConfig } = create();
    assert.deepEqual(
      [server.requestTimeout, server.headersTimeout, server.keepAliveTimeout, server.timeout],
      [10_000, 5000, 5000, 10_000],
    );
    assert.equal(initialConfig.bodyLimit, 16 * 1024);
  });

  it('destroys a connection over the limit and serves the others', async () => {
    const app = create({ maxConnections: 1 });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const first = connect(port, '127.0.0.1');
    await once(app.server, 'connection');
    const second = connect(port, '127.0.0.1').on('error', () => {});
    await once(second, 'close');
    first.end('GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
    const [head] = await once(first, 'data');
    assert.match(String(head), /^HTTP\/1.1 200 /);
  });

  it('closes without waiting for clients, and more than once', { timeout: 8000 }, async () => {
    const asked = new EventEmitter();
    const metrics = (): Promise<string> => {
      asked.emit('metrics');
      return new Promise(() => {});
    };
    const app = create({ cluster: { metrics, status: () => Promise.resolve(STATUS) } });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const client = connect(port, '127.0.0.1').on('error', () => {});
    const cut = new Promise((resolve) => client.once('close', resolve));
    client.write('GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await once(asked, 'metrics');
    await Promise.all([app.close(), app.close()]);
    await cut;
    await app.close();
  });
});

describe('access to the admin listener', () => {
  afterEach(() => Promise.all(created.splice(0).map((app) => app.close())));

  const good = { ...LOCAL, authorization: 'Bearer secret' };

  it('asks for the token everywhere but at the probes', async () => {
    const app = create({ token: 'secret' });
    for (const url of ['/metrics', '/status', '/nope']) {
      const reply = await get(app, url);
      assert.equal(reply.statusCode, 401, url);
      assert.equal(reply.headers['www-authenticate'], 'Bearer');
      assert.notEqual((await get(app, url, { headers: good })).statusCode, 401);
    }
    for (const url of ['/livez', '/readyz']) assert.equal((await get(app, url)).statusCode, 200);
  });

  for (const authorization of [
    '',
    'secret',
    'Bearer',
    'Bearer ',
    'Bearer secre',
    'Bearer secrets',
    'Bearer SECRET',
    'Basic secret',
    'Bearer secret x',
  ]) {
    it(`refuses authorization ${JSON.stringify(authorization)}`, async () => {
      const app = create({ token: 'secret' });
      assert.equal(
        (await get(app, '/metrics', { headers: { ...LOCAL, authorization } })).statusCode,
        401,
      );
      assert.equal((await get(app, '/metrics', { headers: good })).statusCode, 200);
    });
  }

  for (const host of [
    'localhost',
    'localhost:9464',
    'LOCALHOST:1',
    '127.0.0.1',
    '127.0.0.1:80',
    '127.9.8.7:80',
    '[::1]',
    '[::1]:9464',
  ]) {
    it(`accepts Host ${host} on loopback`, async () => {
      assert.equal((await get(create(), '/metrics', { headers: { host } })).statusCode, 200);
    });
  }

  for (const host of [
    'evil.example',
    'evil.example:9464',
    '127.0.0.1.evil.example',
    '127.evil.example',
    'localhost.evil.example',
    'localhost:80:90',
    'localhost@evil.example',
    '10.0.0.1',
    '0.0.0.0',
    '[::2]:80',
    '[::1',
    '::1',
    'x[::1]',
    ':80',
  ]) {
    it(`refuses Host ${host} on loopback, with the right token too`, async () => {
      const app = create({ token: 'secret' });
      for (const url of ['/metrics', '/status', '/nope']) {
        assert.equal((await get(app, url, { headers: { ...good, host } })).statusCode, 421, url);
      }
    });
  }

  it('accepts HTTP/1.0 without a Host, as balancers probe', async () => {
    const app = create();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const client = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
    client.end('GET /readyz HTTP/1.0\r\n\r\n');
    const [head] = await once(client, 'data');
    assert.match(String(head), /^HTTP\/1.1 200 /);
  });

  it('accepts any Host beyond loopback, where the token decides', async () => {
    const app = create({ host: '0.0.0.0', token: 'secret' });
    const headers = { ...good, host: 'metrics.example' };
    assert.equal((await get(app, '/metrics', { headers })).statusCode, 200);
    assert.equal(
      (await get(app, '/metrics', { headers: { host: 'metrics.example' } })).statusCode,
      401,
    );
  });

  it('says no on /readyz for the reasons of the primary, though the worker is ready', async () => {
    const reply = await get(create({ notReady: () => ['slot 1 restarts'] }), '/readyz');
    assert.equal(reply.statusCode, 503);
    assert.deepEqual(reply.json(), { state: 'ready', reasons: ['slot 1 restarts'] });
  });

  const reload = () => Promise.resolve({ status: 202, body: '{"id":"3"}' });
  const post = { method: 'POST' } as const;

  // Seen failing with the check of the header left out.
  it('takes POST /-/reload with the header that no other site can send, or with the token', async () => {
    const app = create({ reload });
    assert.equal((await get(app, '/-/reload', post)).statusCode, 403);
    assert.equal((await get(app, '/-/reload')).statusCode, 404);
    const headers = { ...LOCAL, 'x-plugind': '1' };
    const reply = await get(app, '/-/reload', { ...post, headers });
    assert.deepEqual([reply.statusCode, reply.json()], [202, { id: '3' }]);
    const guarded = create({ reload, token: 'secret' });
    assert.equal((await get(guarded, '/-/reload', { ...post, headers })).statusCode, 401);
    const authorization = { ...LOCAL, authorization: 'Bearer secret' };
    const allowed = await get(guarded, '/-/reload', { ...post, headers: authorization });
    assert.equal(allowed.statusCode, 202);
  });

  it('says that there is nothing to reload under another primary than ours', async () => {
    const headers = { ...LOCAL, 'x-plugind': '1' };
    const reply = await get(create(), '/-/reload', { ...post, headers });
    assert.equal(reply.statusCode, 409);
  });
});
