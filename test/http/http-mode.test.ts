/** Route mode `http` over a real connection: the example plugin, and plugins whose replies are wrong. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { exampleWasm } from '../helpers/paths.ts';
import { pipeline } from '../helpers/pipelined-client.ts';
import { type PublicFixture, startPublicServer } from './fixture.ts';
import { constantGuest, inputAsErrorGuest } from './guests.ts';

const BINARY = Buffer.from([0, 1, 0xff, 0xfe]);

/** What the plugins with constant output say, by name. */
const REPLIES: Readonly<Record<string, string>> = {
  teapot: '{"code":418,"header":{"X-A":["1","2"],"Set-Cookie":["a=1","b=2"]},"body":"short"}',
  empty: '{}',
  'no-content': '{"code":204,"body":"not to be sent"}',
  base64: JSON.stringify({ bodyBase64: BINARY.toString('base64') }),
  'not-json': 'SECRET not JSON',
  'not-utf8': '{"body":"\xff"}',
  'bad-status': '{"code":99,"body":"SECRET"}',
  'bad-header': '{"header":{"A":["x\\r\\nSet-Cookie: SECRET"]}}',
  'own-length': '{"header":{"Content-Length":["3"]},"body":"SECRET"}',
  'own-connection': '{"header":{"Connection":["close"]},"body":"SECRET"}',
};
const BAD = ['not-json', 'not-utf8', 'bad-status', 'bad-header', 'own-length', 'own-connection'];

describe('an http route', () => {
  let server: PublicFixture;
  before(async () => {
    const names = Object.keys(REPLIES);
    server = await startPublicServer({
      plugins: {
        envelope: { wasm: exampleWasm('envelope') },
        input: { manifest: inputAsErrorGuest() },
        ...Object.fromEntries(
          Object.entries(REPLIES).map(([name, reply]) => [
            name,
            { manifest: constantGuest(Buffer.from(reply, 'latin1')) },
          ]),
        ),
      },
      routes: [
        {
          path: '/hello/:name',
          method: 'GET',
          plugin: 'envelope',
          function: 'handle',
          mode: 'http',
        },
        {
          path: '/*',
          method: ['GET', 'POST'],
          plugin: 'envelope',
          function: 'handle',
          mode: 'http',
        },
        {
          path: '/input/:id',
          method: ['GET', 'DELETE'],
          plugin: 'input',
          function: 'run',
          mode: 'http',
          errorBody: 'plugin',
        },
        ...names.map((plugin) => ({ path: `/${plugin}`, plugin, function: 'run', mode: 'http' })),
        { path: '/as-404', plugin: 'bad-status', function: 'run', mode: 'http', errorStatus: 404 },
      ],
    });
  });
  after(() => server.close());

  const post = (
    path: string,
    body: string | Uint8Array = '',
    headers: Record<string, string> = {},
  ) => fetch(server.url + path, { method: 'POST', body, headers });

  it('gives the example its path parameters and takes its status and headers', async () => {
    const reply = await fetch(`${server.url}/hello/Bob%20%22Morane%22`);
    assert.equal(reply.status, 200);
    assert.equal(reply.headers.get('content-type'), 'application/json');
    assert.equal(reply.headers.get('x-plugin'), 'envelope');
    assert.deepEqual(await reply.json(), { message: 'Hello Bob "Morane"' });
    const missing = await fetch(`${server.url}/else?where=1`);
    assert.equal(missing.status, 404);
    assert.equal(await missing.text(), 'nothing here: GET /else?where=1');
  });

  it('hands the guest the whole request', async () => {
    const headers = { 'content-type': 'text/plain', 'x-request-id': '1', cookie: 'a=1' };
    const request = { method: 'DELETE', path: '/input/a%2Fb?c=1&c=2&d', headers, body: 'x' };
    const [reply] = await pipeline(server.port, [request]);
    assert.equal(reply?.status, 500);
    assert.deepEqual(JSON.parse(reply.body), {
      method: 'DELETE',
      uri: '/input/a%2Fb?c=1&c=2&d',
      header: {
        Host: ['127.0.0.1'],
        'Content-Length': ['1'],
        'Content-Type': ['text/plain'],
        'X-Request-Id': ['1'],
        Cookie: ['a=1'],
      },
      params: { id: 'a/b' },
      query: { c: ['1', '2'], d: '' },
      body: 'x',
    });
  });

  it('carries text and bytes both ways', async () => {
    const text = await post('/any', '😄 "x"\n', { 'content-type': 'text/csv' });
    assert.equal(text.headers.get('content-type'), 'text/csv');
    assert.equal(await text.text(), '😄 "x"\n');
    const bytes = await post('/any', BINARY, { 'content-type': 'image/png' });
    assert.equal(bytes.headers.get('content-type'), 'image/png');
    assert.ok(BINARY.equals(Buffer.from(await bytes.arrayBuffer())));
  });

  it('shows the guest the content type that the client sent, however odd', async () => {
    for (const type of ['nonsense; ; ;', 'text/plain; charset=', '///']) {
      const headers = { 'content-type': type };
      const [reply] = await pipeline(server.port, [{ path: '/any', headers, body: 'x' }]);
      assert.equal(reply?.headers['content-type'], type);
      assert.equal(reply.body, 'x');
    }
  });

  it('takes status, repeated headers, a body in base64, and nothing at all', async () => {
    const teapot = await post('/teapot');
    assert.equal(teapot.status, 418);
    assert.equal(teapot.headers.get('x-a'), '1, 2');
    assert.deepEqual(teapot.headers.getSetCookie(), ['a=1', 'b=2']);
    assert.equal(await teapot.text(), 'short');
    assert.ok(BINARY.equals(Buffer.from(await (await post('/base64')).arrayBuffer())));
    const empty = await post('/empty');
    assert.equal(empty.status, 200);
    assert.equal(await empty.text(), '');
  });

  it('sends no body with a status that has none, and the connection stays usable', async () => {
    const [first, second] = await pipeline(server.port, [
      { path: '/no-content' },
      { path: '/teapot' },
    ]);
    assert.equal(first?.status, 204);
    assert.equal(first.headers['content-length'], undefined);
    assert.equal(second?.status, 418);
  });

  for (const name of BAD) {
    it(`answers 502 and shows nothing of it when the reply is wrong: ${name}`, async () => {
      const [reply, after] = await pipeline(server.port, [
        { path: `/${name}` },
        { path: '/teapot' },
      ]);
      assert.equal(reply?.status, 502);
      assert.equal(reply.headers['content-type'], 'application/problem+json');
      assert.equal(JSON.parse(reply.body).code, 'PLUGIN_BAD_OUTPUT');
      assert.doesNotMatch(JSON.stringify(reply), /SECRET/);
      assert.equal(server.records.at(-2)?.code, 'PLUGIN_BAD_OUTPUT');
      assert.deepEqual(server.outcomes.slice(-2), ['PLUGIN_BAD_OUTPUT', 'ok']);
      assert.equal(after?.status, 418);
    });
  }

  it('takes errorStatus for a wrong reply too', async () => {
    assert.equal((await post('/as-404')).status, 404);
  });
});
