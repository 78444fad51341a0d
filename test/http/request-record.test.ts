/** One record for each request where the operator asked for it, none where not; and each failure of a plugin. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { PluginFailure } from '../../src/http/reply-writer.ts';
import { exampleWasm } from '../helpers/paths.ts';
import { pipeline } from '../helpers/pipelined-client.ts';
import { startPublicServer } from './fixture.ts';

const FILE = {
  plugins: { trap: { wasm: exampleWasm('trap') }, error: { wasm: exampleWasm('error') } },
  routes: [
    { path: '/ok/:id', plugin: 'trap', function: 'ok' },
    { path: '/trap', plugin: 'trap', function: 'trap' },
    { path: '/error', plugin: 'error', function: 'error', errorStatus: 409, errorBody: 'plugin' },
  ],
};

it('tells of each request its method, route, status, time, id and what went wrong', async () => {
  const server = await startPublicServer(FILE);
  try {
    for (const path of ['/ok/1?secret=2', '/trap', '/error', '/secret']) {
      await pipeline(server.port, [{ path }]);
    }
    for (const { durationMs } of server.records) assert.ok(durationMs > 0 && durationMs < 5000);
    assert.equal(new Set(server.records.map(({ requestId }) => requestId)).size, 4);
    assert.deepEqual(
      server.records.map(({ requestId: _, durationMs: __, ...record }) => record),
      [
        { method: 'POST', route: '/ok/:id', status: 200 },
        { method: 'POST', route: '/trap', status: 502, code: 'PLUGIN_TRAPPED' },
        { method: 'POST', route: '/error', status: 409, code: 'PLUGIN_ERROR' },
        { method: 'POST', route: 'unmatched', status: 404, code: 'ROUTE_NOT_FOUND' },
      ],
    );
  } finally {
    await server.close();
  }
});

it('gives the record the id that the client was told', async () => {
  const server = await startPublicServer(FILE);
  try {
    const [reply] = await pipeline(server.port, [{ path: '/trap' }]);
    assert.equal(server.records[0]?.requestId, JSON.parse(reply?.body ?? '').requestId);
  } finally {
    await server.close();
  }
});

it('makes no record when nobody asked, and answers all the same', async () => {
  const server = await startPublicServer(FILE, { logRequest: null });
  try {
    assert.equal((await pipeline(server.port, [{ path: '/ok/1' }]))[0]?.body, 'ok');
    assert.deepEqual(server.records, []);
  } finally {
    await server.close();
  }
});

it('tells of each call that its plugin failed, whatever the reply shows of it', async () => {
  const failures: PluginFailure[] = [];
  const server = await startPublicServer(FILE, {
    logRequest: null,
    onPluginFailure: (failure) => failures.push(failure),
  });
  try {
    for (const path of ['/ok/1', '/trap', '/error', '/secret']) {
      await pipeline(server.port, [{ path, body: 'x' }]);
    }
    assert.deepEqual(
      failures.map(({ requestId, error, ...failure }) => {
        assert.match(requestId, /^test-/);
        return { ...failure, code: error.code, message: error.message };
      }),
      [
        { plugin: 'trap', function: 'trap', code: 'PLUGIN_TRAPPED', message: 'unreachable' },
        { plugin: 'error', function: 'error', code: 'PLUGIN_ERROR', message: 'no such user: x' },
      ],
    );
  } finally {
    await server.close();
  }
});
