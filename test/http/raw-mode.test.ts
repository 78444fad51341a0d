/** Route mode `raw`: the body goes in as it is, the output comes back as it is. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { exampleWasm } from '../helpers/paths.ts';
import { pipeline } from '../helpers/pipelined-client.ts';
import { type PublicFixture, startPublicServer } from './fixture.ts';

const MIB = 1_048_576;

/** A body without a length: sent in chunks. */
function stream(parts: readonly string[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(Buffer.from(part));
      controller.close();
    },
  });
}

describe('a raw route', () => {
  let server: PublicFixture;
  before(async () => {
    server = await startPublicServer({
      plugins: {
        echo: { wasm: exampleWasm('echo') },
        hello: { wasm: exampleWasm('hello') },
      },
      routes: [
        {
          path: '/echo',
          method: ['POST', 'GET', 'PUT', 'DELETE'],
          plugin: 'echo',
          function: 'echo',
        },
        { path: '/head', method: 'HEAD', plugin: 'hello', function: 'hello' },
        { path: '/hello', plugin: 'hello', function: 'hello', contentType: 'application/json' },
        { path: '/users/:id', plugin: 'echo', function: 'echo' },
      ],
    });
  });
  after(() => server.close());

  const post = (
    path: string,
    body: string | Uint8Array | ReadableStream,
    headers: Record<string, string> = {},
  ) => fetch(server.url + path, { method: 'POST', body, headers, duplex: 'half' } as RequestInit);

  it('answers with the output and the content type of the route', async () => {
    const hello = await post('/hello', '😄 Bob Morane');
    assert.equal(hello.status, 200);
    assert.equal(hello.headers.get('content-type'), 'application/json');
    assert.equal(await hello.text(), '{"message":"🦀 Hello 😄 Bob Morane"}');
    const echo = await post('/echo', 'x');
    assert.equal(echo.headers.get('content-type'), 'text/plain; charset=utf-8');
  });

  it('takes an empty body, with and without a length', async () => {
    const replies = await pipeline(server.port, [
      { path: '/echo' },
      { path: '/echo', headers: { 'content-type': 'text/plain' } },
    ]);
    for (const { status, body, headers } of replies) {
      assert.equal(status, 200);
      assert.equal(body, '');
      assert.equal(headers['content-length'], '0');
    }
    assert.equal(await (await post('/echo', stream([]))).text(), '');
  });

  it('calls the function of a GET route with an empty input', async () => {
    const reply = await fetch(`${server.url}/echo`);
    assert.equal(reply.status, 200);
    assert.equal(await reply.text(), '');
  });

  it('answers HEAD with the head of the reply alone', async () => {
    const reply = await fetch(`${server.url}/head`, { method: 'HEAD' });
    assert.equal(reply.status, 200);
    assert.equal(reply.headers.get('content-length'), String('{"message":"🦀 Hello "}'.length + 2));
    assert.equal(await reply.text(), '');
  });

  it('carries bytes unchanged, up to the limit of 1 MiB', async () => {
    for (const bytes of [Buffer.from([0, 255, 254, 13, 10, 0]), randomBytes(MIB)]) {
      const reply = await post('/echo', bytes, { 'content-type': 'application/octet-stream' });
      assert.equal(reply.status, 200);
      assert.ok(Buffer.from(await reply.arrayBuffer()).equals(bytes));
    }
  });

  it('joins the chunks of a body without a length', async () => {
    const reply = await post('/echo', stream(['one ', 'two ', '🦀']));
    assert.equal(await reply.text(), 'one two 🦀');
  });

  for (const type of [
    'text/plain',
    'application/json',
    'application/json; charset=utf-16',
    'multipart/form-data; boundary=x',
    'image/svg+xml',
    'text',
    'nonsense; ; ;',
    '/',
    '///',
    '; charset=utf-8',
    'a/b/c',
    'text/plain; charset=',
    'text/plain; charset="never closed',
    'été/ça',
    '😄',
    '"',
    '',
  ]) {
    it(`takes a body whose content type is ${JSON.stringify(type)}`, async () => {
      const headers = { 'content-type': type };
      const [reply] = await pipeline(server.port, [{ path: '/echo', headers, body: '{"a":' }]);
      assert.equal(reply?.status, 200);
      assert.equal(reply.body, '{"a":');
    });
  }

  it('takes a body without a content type', async () => {
    const [reply] = await pipeline(server.port, [{ path: '/echo', body: 'x' }]);
    assert.equal(reply?.body, 'x');
  });

  it('takes a path parameter as long as the head may be', async () => {
    const reply = await post(`/users/${'a'.repeat(8000)}`, 'x');
    assert.equal(reply.status, 200);
  });

  it('answers pipelined requests in their order, also over several routes', async () => {
    const paths = ['/echo', '/hello', '/nowhere'];
    const requests = Array.from({ length: 90 }, (_, index) => ({
      path: paths[index % 3] ?? '',
      body: `${index}`,
    }));
    const replies = await pipeline(server.port, requests);
    for (const [index, { status, body }] of replies.entries()) {
      if (index % 3 === 2) assert.equal(status, 404);
      else assert.equal(body, index % 3 === 0 ? `${index}` : `{"message":"🦀 Hello ${index}"}`);
    }
  });

  it('keeps a connection for the next request', async () => {
    const replies = await pipeline(server.port, [
      { path: '/echo', body: 'a' },
      { path: '/echo', body: 'b' },
    ]);
    for (const { headers } of replies) assert.notEqual(headers.connection, 'close');
  });
});
