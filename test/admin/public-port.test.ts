/** The admin routes in a scope of the public listener: both as they are alone, neither in the other's way. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fastify from 'fastify';
import { type AdminRoutesOptions, addAdminRoutes } from '../../src/admin/admin-routes.ts';

import { ADMIN_PATHS } from '../../src/config/admin-paths.ts';
import type { PublicServerOptions } from '../../src/http/create-public-server.ts';
import { parseSamples, sumOf } from '../helpers/exposition.ts';
import { exampleWasm } from '../helpers/paths.ts';
import { pipeline } from '../helpers/pipelined-client.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { type PublicFixture, startPublicServer } from '../http/fixture.ts';
import { WireClient } from '../http/wire-client.ts';
import { ownProcess } from './fixtures/own-process.ts';

const TOKEN = 'secret';
const TEXT = '# TYPE a counter\na{worker="0"} 1\n';
const STATUS = { expectedWorkers: 1, primary: null, workers: [ownProcess().status()] };

const OPTIONS: AdminRoutesOptions = {
  host: null,
  token: TOKEN,
  cluster: { metrics: () => Promise.resolve(TEXT), status: () => Promise.resolve(STATUS) },
  state: () => 'ready',
  onInternalError: () => {},
};

function start(
  changes: Partial<PublicServerOptions> = {},
  admin: Partial<AdminRoutesOptions> = {},
): Promise<PublicFixture> {
  const routes = [
    { path: '/', method: ['GET', 'POST'], plugin: 'echo', function: 'echo' },
    { path: '/metrics', plugin: 'echo', function: 'echo' },
    { path: '/:name', method: ['GET', 'POST'], plugin: 'trap', function: 'ok' },
    { path: '/*', method: ['GET', 'POST'], plugin: 'trap', function: 'ok' },
  ];
  const plugins = { echo: { wasm: exampleWasm('echo') }, trap: { wasm: exampleWasm('trap') } };
  const addFurtherRoutes: PublicServerOptions['addFurtherRoutes'] = (scope) =>
    addAdminRoutes(scope, { ...OPTIONS, ...admin });
  return startPublicServer(
    { plugins, routes, http: { bodyLimitBytes: 1000 } },
    { addFurtherRoutes, ...changes },
  );
}

async function withServer(
  server: PublicFixture,
  use: (server: PublicFixture) => Promise<void>,
): Promise<void> {
  try {
    await use(server);
  } finally {
    await server.close();
  }
}

const auth = { authorization: `Bearer ${TOKEN}` };

describe('admin paths on the public port', () => {
  it('are those that a rule and the metrics know', () => {
    const found: Record<string, string[]> = {};
    // Not the live page, which stays on the admin listener.
    const app = fastify({ exposeHeadRoutes: false });
    addAdminRoutes(app, OPTIONS);
    for (const [url, methods] of Object.entries(ADMIN_PATHS)) {
      found[url] = methods.filter((method) => app.hasRoute({ url, method }));
      assert.deepEqual(found[url], methods);
    }
    // Two lines a path: its name, then its methods. A path more shows as a line more.
    const leaves = app
      .printRoutes({ commonPrefix: false })
      .match(/\((?:GET|POST|HEAD|PUT)[^)]*\)/g);
    assert.equal(leaves?.length, Object.keys(ADMIN_PATHS).length, app.printRoutes());
  });

  it('answer who has the token, under any host name, and nobody else', () =>
    start().then((server) =>
      withServer(server, async ({ app }) => {
        for (const url of ['/metrics', '/status']) {
          const refused = await app.inject({ url });
          assert.equal(refused.statusCode, 401);
          assert.equal(refused.headers['content-type'], 'application/problem+json');
          const headers = { ...auth, host: 'example.org' };
          assert.equal((await app.inject({ url, headers })).statusCode, 200);
        }
        assert.equal((await app.inject({ url: '/metrics', headers: auth })).body, TEXT);
        assert.deepEqual((await app.inject({ url: '/status', headers: auth })).json(), STATUS);
        for (const url of ['/livez', '/readyz']) {
          assert.equal((await app.inject({ url })).statusCode, 200);
        }
        const reload = { method: 'POST', url: '/-/reload' } as const;
        assert.equal((await app.inject(reload)).statusCode, 401);
        assert.equal(
          (await app.inject({ ...reload, headers: { 'x-plugind': '1' } })).statusCode,
          401,
        );
        assert.equal((await app.inject({ ...reload, headers: auth })).statusCode, 409);
      }),
    ));

  it('leave plugins every other method and path, with their bodies, headers and errors', () =>
    start().then((server) =>
      withServer(server, async ({ port, url: base, app }) => {
        const bytes = Buffer.from([0xff, 0, 0x7b, 0x80]);
        const json = { method: 'POST', headers: { 'content-type': 'application/json' } } as const;
        for (const url of ['/', '/metrics']) {
          const reply = await fetch(base + url, { ...json, body: bytes });
          assert.deepEqual(Buffer.from(await reply.arrayBuffer()), bytes, url);
          assert.equal(reply.headers.get('x-content-type-options'), null);
          assert.equal(reply.headers.get('cache-control'), null);
        }
        for (const path of ['/other', '/a/b', '/metrics/', '/-/other']) {
          const [reply] = await pipeline(port, [{ path, method: 'GET', body: '' }]);
          assert.equal(reply?.status, 200, path);
        }
        const [tooLarge] = await pipeline(port, [{ path: '/', body: 'x'.repeat(1001) }]);
        assert.equal(JSON.parse(tooLarge?.body ?? '').code, 'BODY_TOO_LARGE');
        const none = await app.inject({ method: 'PUT', url: '/metrics', headers: auth });
        assert.equal(none.json().code, 'ROUTE_NOT_FOUND');
        assert.match(none.json().requestId, /^test-/);
      }),
    ));

  it('hide what failed and tell the log', async () => {
    const told: unknown[] = [];
    const server = await start(
      {},
      {
        cluster: { ...OPTIONS.cluster, metrics: () => Promise.reject(new Error('secret detail')) },
        onInternalError: (error, { requestId }) => told.push([error.message, requestId]),
      },
    );
    await withServer(server, async ({ app }) => {
      const reply = await app.inject({ url: '/metrics', headers: auth });
      assert.equal(reply.statusCode, 500);
      assert.ok(!reply.body.includes('secret detail'));
      assert.deepEqual(told, [['secret detail', reply.json().requestId]]);
    });
  });

  it('count as requests like all others, once, with their path as route', async () => {
    const server = await start();
    await withServer(server, async ({ port, metrics, gauges, records }) => {
      const ask = (head: string): string => `${head} HTTP/1.1\r\nhost: x\r\n\r\n`;
      const client = await WireClient.connect(port);
      client.send(ask('GET /livez') + ask('GET /status') + ask('HEAD /readyz') + ask('GET /'));
      await waitFor('four replies', () => records.length === 4);
      client.destroy();
      assert.deepEqual(records.map(({ route, status }) => `${route} ${status}`).sort(), [
        '/ 200',
        '/livez 200',
        '/readyz 200',
        '/status 401',
      ]);
      assert.equal(gauges.requestsInFlight(), 0);
      const samples = parseSamples(await metrics.text());
      assert.equal(sumOf(samples, 'http_request_duration_seconds_count'), 4);
      assert.equal(sumOf(samples, 'plugind_http_rejected_total'), 0);
    });
  });

  it('count also where the client left before its reply', async () => {
    let answer: (text: string) => void = () => {};
    const waiting = new Promise<string>((resolve) => {
      answer = resolve;
    });
    const server = await start({}, { cluster: { ...OPTIONS.cluster, metrics: () => waiting } });
    await withServer(server, async ({ port, gauges, records }) => {
      const client = await WireClient.connect(port);
      const ask = `GET /metrics HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`;
      client.send(ask + ask);
      await waitFor('the requests', () => gauges.requestsInFlight() === 2);
      client.socket.resetAndDestroy();
      await waitFor('their end', () => records.length === 2);
      assert.deepEqual(
        records.map(({ status }) => status),
        [499, 499],
      );
      assert.equal(gauges.requestsInFlight(), 0);
      answer(TEXT);
      await waitFor('the late answers', () => waiting.then(() => true));
      assert.equal(gauges.requestsInFlight(), 0);
    });
  });

  it('end the connection with the last reply while the worker drains', async () => {
    let isDraining = false;
    const server = await start({ isDraining: () => isDraining });
    await withServer(server, async ({ port }) => {
      const client = await WireClient.connect(port);
      const ask = 'GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n';
      client.send(ask);
      const [first] = await client.answers(1);
      assert.notEqual(first?.headers.connection, 'close');
      isDraining = true;
      client.send(ask);
      await client.ended;
      assert.equal(client.replies()[1]?.headers.connection, 'close');
      client.destroy();
    });
  });
});
