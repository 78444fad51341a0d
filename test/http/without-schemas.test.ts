import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import fastify from 'fastify';
import { createAdminServer } from '../../src/admin/create-admin-server.ts';
import { WITHOUT_SCHEMAS } from '../../src/http/without-schemas.ts';
import { ownProcess, quietFeed } from '../admin/fixtures/own-process.ts';
import { exampleWasm } from '../helpers/paths.ts';
import { startPublicServer } from './fixture.ts';

const COMPILERS = /node_modules\/@fastify\/(ajv|fast-json-stringify)-compiler\//;
const { cache } = createRequire(import.meta.url);

describe("Fastify's schema compilers", () => {
  it('are not loaded for either listener', async () => {
    const server = await startPublicServer({
      plugins: { hello: { wasm: exampleWasm('hello') } },
      routes: [{ path: '/', plugin: 'hello', function: 'hello' }],
    });
    const admin = createAdminServer({
      host: '127.0.0.1',
      token: null,
      cluster: { metrics: async () => '', status: async () => ownProcess().status() as never },
      live: quietFeed(),
      state: () => 'ready',
      requestIdPrefix: 'a-',
      onInternalError: () => {},
    });
    await admin.ready();
    await Promise.all([server.close(), admin.close()]);
    const loaded = Object.keys(cache);
    assert.ok(loaded.some((file) => file.endsWith('/fastify/fastify.js')));
    assert.deepEqual(
      loaded.filter((file) => COMPILERS.test(file)),
      [],
    );
  });

  it('are missed aloud by a route that has a schema', async () => {
    const app = fastify({ ...WITHOUT_SCHEMAS });
    app.get('/', { schema: { querystring: { type: 'object' } } }, () => '');
    await assert.rejects(
      async () => await app.ready(),
      /a route with a schema needs the compilers/,
    );
  });
});
