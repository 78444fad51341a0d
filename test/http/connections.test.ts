/** What clients do to connections: go away, send nonsense or nothing, come in crowds, read slowly. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { exampleWasm } from '../helpers/paths.ts';
import { pipeline, type WireReply } from '../helpers/pipelined-client.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { type PublicFixture, startPublicServer } from './fixture.ts';
import { WireClient } from './wire-client.ts';

const MIB = 1_048_576;

const request = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

function assertProblem(reply: WireReply | undefined, status: number): void {
  assert.equal(reply?.status, status, reply?.body);
  assert.equal(reply.headers['content-type'], 'application/problem+json');
  assert.equal(reply.headers.connection, 'close');
  const problem = JSON.parse(reply.body) as Record<string, unknown>;
  assert.equal(problem.status, status);
  assert.equal(problem.code, 'BAD_REQUEST');
}

describe('a client that goes away', () => {
  let server: PublicFixture;
  before(async () => {
    server = await startPublicServer({
      plugins: { slow: { wasm: exampleWasm('slow'), queue: { waitMs: 9000 } } },
      routes: [{ path: '/', plugin: 'slow', function: 'slow' }],
    });
  });
  after(() => server.close());

  const count = (outcome: string): number =>
    server.outcomes.filter((other) => other === outcome).length;

  it('is never run when it was queued, nor are its pipelined requests, and each is counted', async () => {
    const EARLIER = 60;
    const ABANDONED = 7;
    const submitted = (): number => server.records.length + server.plugin('slow').waiters();
    // One call of some 10 ms a turn of the event loop: time enough for the others to arrive and leave.
    const earlier = pipeline(server.port, Array(EARLIER).fill({ body: '1000' }));
    await waitFor('the earlier requests to queue', () => submitted() === EARLIER);
    const client = await WireClient.connect(server.port);
    client.send(request('/', '1').repeat(ABANDONED));
    await waitFor('the later ones to queue', () => submitted() === EARLIER + ABANDONED);
    assert.ok(
      server.plugin('slow').waiters() > ABANDONED,
      'they were served before they could leave',
    );
    client.destroy();
    await waitFor('them to be given up', () => count('CLIENT_CLOSED') === ABANDONED);
    const replies = await earlier;
    assert.deepEqual([...new Set(replies.map(({ status }) => status))], [200]);
    assert.equal(count('ok'), EARLIER);
    assert.equal(server.acquired(), EARLIER);
    assert.equal(server.records.filter(({ status }) => status === 499).length, ABANDONED);
    assert.equal(server.connections.count, 0);
  });

  it('is counted as such when it leaves in the middle of its body', async () => {
    const client = await WireClient.connect(server.port);
    const before = server.acquired();
    client.send('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n1');
    await waitFor('the connection', () => server.connections.count === 1);
    client.destroy();
    await waitFor('the record', () => server.records.at(-1)?.code === 'CLIENT_CLOSED');
    assert.equal(server.acquired(), before);
  });
});

describe('a broken request', () => {
  let server: PublicFixture;
  before(async () => {
    server = await startPublicServer({
      http: { headersTimeoutMs: 300, requestTimeoutMs: 600 },
      plugins: { echo: { wasm: exampleWasm('echo') }, slow: { wasm: exampleWasm('slow') } },
      routes: [
        { path: '/echo', plugin: 'echo', function: 'echo' },
        { path: '/slow', plugin: 'slow', function: 'slow' },
      ],
    });
  });
  after(() => server.close());

  /** Sends one text and hands back the only reply, after which the server must end the connection. */
  async function soleReply(text: string): Promise<WireReply | undefined> {
    const client = await WireClient.connect(server.port);
    client.send(text);
    await client.ended;
    const replies = client.replies();
    client.destroy();
    assert.equal(replies.length, 1);
    return replies[0];
  }

  const broken: [name: string, text: string][] = [
    ['no HTTP at all', 'nonsense\r\n\r\n'],
    ['an unknown method', 'BREW / HTTP/1.1\r\nhost: x\r\n\r\n'],
    [
      'two lengths',
      'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx',
    ],
    [
      'a length and chunks',
      'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a length that is no number', 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n'],
    [
      'a broken chunk',
      'POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    ],
    ['a header without a colon', 'GET /echo HTTP/1.1\r\nhost: x\r\nnonsense\r\n\r\n'],
  ];
  for (const [name, text] of broken) {
    it(`is answered 400 and the connection ended: ${name}`, async () => {
      assertProblem(await soleReply(text), 400);
    });
  }

  it('is answered 400 by Node itself when it names no host', async () => {
    const client = await WireClient.connect(server.port);
    client.send('GET /echo HTTP/1.1\r\n\r\n');
    await client.ended;
    assert.equal(client.replies()[0]?.status, 400);
    client.destroy();
  });

  it('is answered once and its connection ended when it is refused before its body came', async () => {
    const rejectedBefore = { ...server.gauges.rejected() };
    const reply = await soleReply(
      'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\nx',
    );
    assert.equal(reply?.status, 413);
    assert.equal(reply.headers.connection, 'close');
    await waitFor('the connection to be gone', () => server.connections.count === 0);
    const { body_too_large, timeout } = server.gauges.rejected();
    assert.equal(body_too_large, rejectedBefore.body_too_large + 1);
    assert.equal(timeout, rejectedBefore.timeout);
  });

  it('keeps its connection when it has no body and no route', async () => {
    const client = await WireClient.connect(server.port);
    client.send('GET /none HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(2));
    const replies = await client.answers(2);
    assert.deepEqual(
      replies.map(({ status }) => status),
      [404, 404],
    );
    client.destroy();
  });

  it('is answered 431 when its head is larger than Node takes', async () => {
    const head = `GET /echo HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`;
    assertProblem(await soleReply(head), 431);
  });

  it('is answered 408 when its head does not arrive in time', async () => {
    assertProblem(await soleReply('GET /echo HTTP/1.1\r\nhost: x\r\n'), 408);
  });

  it('is answered 408 when its body does not arrive in time, and reaches no plugin', async () => {
    const before = server.acquired();
    assertProblem(
      await soleReply('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nx'),
      408,
    );
    assert.equal(server.acquired(), before);
  });

  for (const [name, text] of [
    ['a broken head', 'nonsense\r\n\r\n'],
    ['half a head', 'GET /echo HTTP/1.1\r\n'],
  ]) {
    it(`is dropped when its client keeps its half of the connection open: ${name}`, async () => {
      const client = await WireClient.connect(server.port);
      await waitFor('the connection', () => server.connections.count === 1);
      client.send(text ?? '');
      await client.answers(1);
      await waitFor('the connection to be dropped', () => server.connections.count === 0);
      client.destroy();
    });
  }

  it('does not take the place of the replies to earlier requests on its connection', async () => {
    const client = await WireClient.connect(server.port);
    const earlier = request('/slow', '2000') + request('/echo', 'a') + request('/echo', 'b');
    client.send(`${earlier}nonsense\r\n\r\n`);
    client.send('more nonsense\r\n\r\n');
    await client.ended;
    const [slow, a, b, last, ...rest] = client.replies();
    assert.equal(slow?.status, 200);
    assert.equal(a?.body, 'a');
    assert.equal(b?.body, 'b');
    assertProblem(last, 400);
    assert.equal(rest.length, 0);
    client.destroy();
  });

  it('ends its connection when it asks for another protocol, for Node loses what came right behind', async () => {
    const client = await WireClient.connect(server.port);
    const upgrade = 'connection: upgrade\r\nupgrade: websocket\r\ncontent-length';
    client.send(request('/echo', 'a').replace('content-length', upgrade) + request('/echo', 'b'));
    client.send(request('/echo', 'c'));
    await client.ended;
    const [reply, ...others] = client.replies();
    assert.equal(reply?.body, 'a');
    assert.equal(reply.headers.connection, 'close');
    assert.deepEqual(others, []);
    client.destroy();
  });

  it('says nothing of what other clients sent', async () => {
    assert.equal((await pipeline(server.port, [{ path: '/echo', body: 'x' }]))[0]?.body, 'x');
  });
});

describe('connections', () => {
  it('over the limit are destroyed at once, while others are served', async () => {
    const server = await startPublicServer({
      http: { maxConnections: 3 },
      plugins: { echo: { wasm: exampleWasm('echo') } },
      routes: [{ path: '/', plugin: 'echo', function: 'echo' }],
    });
    try {
      const kept = await Promise.all([1, 2, 3].map(() => WireClient.connect(server.port)));
      await waitFor('three connections', () => server.connections.count === 3);
      const over = await Promise.all([1, 2, 3, 4].map(() => WireClient.connect(server.port)));
      for (const client of over) {
        client.send(request('/', 'x'));
        await client.ended;
        assert.deepEqual(client.replies(), []);
      }
      assert.equal(server.connections.count, 3);
      for (const [index, client] of kept.entries()) {
        client.send(request('/', `${index}`));
        assert.equal((await client.answers(1))[0]?.body, `${index}`);
      }
      assert.equal(server.acquired(), 3);
      for (const client of kept) client.destroy();
      await waitFor('the places to be free', () => server.connections.count === 0);
      assert.equal((await pipeline(server.port, [{ body: 'again' }]))[0]?.body, 'again');
    } finally {
      await server.close();
    }
  });

  it('whose client does not read hold no permit', async () => {
    const server = await startPublicServer({
      plugins: { echo: { wasm: exampleWasm('echo') } },
      routes: [{ path: '/', plugin: 'echo', function: 'echo' }],
    });
    try {
      const reader = await WireClient.connect(server.port);
      reader.socket.pause();
      const body = 'x'.repeat(MIB);
      const REQUESTS = 24;
      const OTHERS = 20;
      reader.send(request('/', body).repeat(REQUESTS));
      await waitFor('a reply', () => server.records.length > 0);
      for (let index = 0; index < OTHERS; index++) {
        const [reply] = await pipeline(server.port, [{ body: `${index}` }]);
        assert.equal(reply?.body, `${index}`);
      }
      assert.equal(server.plugin('echo').waiters(), 0);
      // More than the buffers of both sides hold: Node reads no further request before that is written.
      assert.ok(server.records.length < REQUESTS + OTHERS, 'no reply was stuck');
      reader.socket.resume();
      const replies = await reader.answers(REQUESTS);
      assert.ok(replies.every((reply) => reply.body === body));
      reader.destroy();
    } finally {
      await server.close();
    }
  });

  describe('whose client takes its reply slowly', () => {
    const PAUSE_MS = 300;
    /** More than the buffers of both sides hold. */
    const REPLIES = 24;
    const BODY = 'x'.repeat(MIB);
    const SIP = MIB / 2;
    /** Some 500 ms of the plugin's time. */
    const WORK = '50000';
    let server: PublicFixture;
    before(async () => {
      server = await startPublicServer({
        watchdogMs: 8000,
        http: { sendTimeoutMs: PAUSE_MS },
        plugins: {
          echo: { wasm: exampleWasm('echo') },
          // So that the event loop is free meanwhile.
          slow: { wasm: exampleWasm('slow'), timeoutMs: 5000, execution: 'thread' },
        },
        routes: [
          { path: '/echo', plugin: 'echo', function: 'echo' },
          { path: '/slow', plugin: 'slow', function: 'slow' },
        ],
      });
    });
    after(() => server.close());

    async function connectPaused(text: string): Promise<WireClient> {
      const client = await WireClient.connect(server.port);
      client.socket.pause();
      client.send(text);
      return client;
    }

    it('end when it takes nothing for sendTimeoutMs', async () => {
      const client = await connectPaused(request('/echo', BODY).repeat(REPLIES));
      await waitFor('a reply to be stuck', () => server.connections.isSending);
      await waitFor('the connection to be ended', () => server.connections.count === 0);
      client.destroy();
    });

    it('do not end while it takes something now and then', async () => {
      const client = await connectPaused(request('/echo', BODY).repeat(REPLIES));
      const { socket } = client;
      // So much at a time that the system lets the server write again.
      let taken = 0;
      socket.on('data', (text: string) => {
        taken += text.length;
        if (taken < SIP) return;
        taken = 0;
        if (sipping) socket.pause();
      });
      let sipping = true;
      const sip = setInterval(() => socket.resume(), PAUSE_MS / 10);
      const until = performance.now() + 3 * PAUSE_MS;
      await waitFor('three times as long', () => performance.now() > until);
      assert.ok(server.connections.isSending, 'it was read too fast');
      sipping = false;
      clearInterval(sip);
      socket.resume();
      assert.equal((await client.answers(REPLIES)).at(-1)?.body, BODY);
      client.destroy();
    });

    it('do not end while the next request is with its plugin', async () => {
      const client = await connectPaused(
        request('/echo', BODY).repeat(REPLIES) + request('/slow', WORK),
      );
      await waitFor('a reply to be stuck', () => server.connections.isSending);
      client.socket.resume();
      assert.equal((await client.answers(REPLIES + 1)).at(-1)?.status, 200);
      client.destroy();
    });

    it('do not end while an earlier request is with its plugin', async () => {
      const client = await WireClient.connect(server.port);
      client.send(request('/slow', WORK) + request('/echo', BODY));
      const replies = await client.answers(2);
      assert.deepEqual(
        replies.map(({ status }) => status),
        [200, 200],
      );
      client.destroy();
    });
  });

  it('that are idle are closed after keepAliveTimeoutMs', async () => {
    const server = await startPublicServer({
      http: { keepAliveTimeoutMs: 50 },
      plugins: { echo: { wasm: exampleWasm('echo') } },
      routes: [{ path: '/', plugin: 'echo', function: 'echo' }],
    });
    try {
      const client = await WireClient.connect(server.port);
      client.send(request('/', 'x'));
      await client.answers(1);
      await client.ended;
      client.destroy();
    } finally {
      await server.close();
    }
  });

  it('are closed by the reply while the worker drains', async () => {
    let isDraining = false;
    const server = await startPublicServer(
      {
        plugins: { echo: { wasm: exampleWasm('echo') } },
        routes: [{ path: '/', plugin: 'echo', function: 'echo' }],
      },
      { isDraining: () => isDraining },
    );
    try {
      const client = await WireClient.connect(server.port);
      client.send(request('/', 'a'));
      const [first] = await client.answers(1);
      assert.notEqual(first?.headers.connection, 'close');
      isDraining = true;
      client.send(request('/', 'b'));
      await client.ended;
      const last = client.replies()[1];
      assert.equal(last?.body, 'b');
      assert.equal(last.headers.connection, 'close');
      client.destroy();
    } finally {
      await server.close();
    }
  });
});
