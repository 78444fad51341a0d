/** The steps of a drain, each with a real HTTP server and bare connections. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Logger } from '../../src/log.ts';
import { type DrainOptions, drain } from '../../src/worker/drain.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { WireClient } from '../http/wire-client.ts';

const REQUEST = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
/** Linger and grace as drain.ts has them. */
const LINGER_MS = 250;
const GRACE_MS = 500;
const LARGE = 32 * 1_048_576;

describe('drain', () => {
  let server: Server;
  let port: number;
  let connections: Set<Socket>;
  /** How often it was asked whether a reply is on its way. */
  let looks: number;
  /** Replies that the server owes: it answers when the test says so. */
  let owed: ServerResponse[];
  let isSlow: boolean;
  let messages: string[];
  let onMessage: (message: string) => void;
  let refused: number;
  let clients: WireClient[];

  beforeEach(async () => {
    const open = new Set<Socket>();
    looks = 0;
    connections = open;
    owed = [];
    isSlow = false;
    messages = [];
    onMessage = () => {};
    refused = 0;
    clients = [];
    server = createServer({ keepAliveTimeout: 60_000 }, (_request, response) => {
      if (isSlow) owed.push(response);
      else response.end('ok');
    });
    server.on('connection', (socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });

  afterEach(() => {
    for (const client of clients) client.destroy();
    server.closeAllConnections();
    server.close();
  });

  const start = (changes: Partial<DrainOptions> = {}): Promise<void> => {
    const tell = (_fields: unknown, message: string): void => {
      messages.push(message);
      onMessage(message);
    };
    return drain({
      server,
      connections: {
        get count() {
          return connections.size;
        },
        get isSending() {
          looks++;
          return [...connections].some((socket) => socket.writableLength > 0);
        },
      },
      keepAliveTimeoutMs: 100,
      delayMs: 0,
      drainMs: 10_000,
      refuseWaiting: () => {
        refused++;
      },
      log: { info: tell, warn: tell } as unknown as Logger,
      ...changes,
    });
  };

  const until = (message: string): Promise<void> =>
    new Promise((resolve) => {
      onMessage = (told) => {
        if (told.startsWith(message)) resolve();
      };
    });

  async function connectClient(): Promise<WireClient> {
    const client = await WireClient.connect(port);
    clients.push(client);
    return client;
  }

  function isRefused(): Promise<boolean> {
    const socket = connect({ port, host: '127.0.0.1' });
    return new Promise((resolve) => {
      socket.once('connect', () => resolve(false));
      socket.once('error', () => resolve(true));
    }).finally(() => socket.destroy()) as Promise<boolean>;
  }

  async function ask(client: WireClient): Promise<void> {
    const before = client.replies().length;
    client.send(REQUEST);
    const replies = await client.answers(before + 1);
    assert.equal(replies.at(-1)?.status, 200);
  }

  it('does not cut a reply that its client takes slowly', async () => {
    isSlow = true;
    const client = await connectClient();
    client.socket.pause();
    client.send(REQUEST);
    await waitFor('the request', () => owed.length === 1);
    const drained = start();
    // More than the buffers of both sides hold.
    owed[0]?.end(Buffer.alloc(LARGE, 'x'));
    await waitFor('the end of the grace', () => looks > 2);
    client.socket.resume();
    const [reply] = await client.answers(1);
    assert.equal(reply?.body.length, LARGE);
    client.destroy();
    await drained;
  });

  it('stops accepting and serves on connections that were idle', async () => {
    const idle = await connectClient();
    await ask(idle);
    const waiting = until('drain: wait');
    const drained = start();
    assert.equal(await isRefused(), true);
    await ask(idle);
    await waiting;
    await ask(idle);
    idle.destroy();
    await drained;
    assert.deepEqual(messages, [
      'drain: stop accepting',
      'drain: wait for connections',
      'drain: done',
    ]);
    assert.equal(refused, 0);
  });

  it('waits for a request that is being served', async () => {
    isSlow = true;
    const client = await connectClient();
    client.send(REQUEST);
    await once(server, 'request');
    const waiting = until('drain: wait');
    // Longer than the grace for idle connections: who is served is not idle.
    const drained = start({ keepAliveTimeoutMs: 0 });
    await waiting;
    const deadline = performance.now() + GRACE_MS + 100;
    while (performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(messages.includes('drain: done'), false);
    owed[0]?.end('late');
    assert.equal((await client.answers(1))[0]?.status, 200);
    client.destroy();
    await drained;
  });

  it('lingers for connections that the primary still hands over, also with none open', async () => {
    // Accepts in the place of a cluster's primary and hands over as that does.
    const primary = createNetServer((socket) => server.emit('connection', socket));
    primary.listen(0, '127.0.0.1');
    await once(primary, 'listening');
    try {
      const startedAt = performance.now();
      const stopped = until('drain: stop');
      const drained = start();
      await stopped;
      const late = await WireClient.connect((primary.address() as AddressInfo).port);
      clients.push(late);
      await ask(late);
      late.destroy();
      await drained;
      assert.ok(performance.now() - startedAt >= LINGER_MS - 1);
    } finally {
      primary.close();
    }
  });

  it('closes idle connections only after the time for which they may be kept', async () => {
    const idle = await connectClient();
    await ask(idle);
    const keepAliveTimeoutMs = 100;
    const startedAt = performance.now();
    const drained = start({ keepAliveTimeoutMs });
    await idle.ended;
    assert.ok(performance.now() - startedAt >= keepAliveTimeoutMs + GRACE_MS - 1);
    idle.destroy();
    await drained;
    assert.equal(messages.at(-1), 'drain: done');
  });

  it('ends hard: refuses who waits, then closes whatever is open', async () => {
    isSlow = true;
    const client = await connectClient();
    client.send(REQUEST);
    await once(server, 'request');
    const drainMs = 400;
    const startedAt = performance.now();
    await start({
      drainMs,
      refuseWaiting: () => {
        refused++;
        owed[0]?.writeHead(503, { 'content-length': 0 }).end();
      },
    });
    assert.ok(performance.now() - startedAt >= drainMs - 1);
    await client.ended;
    assert.deepEqual(
      client.replies().map(({ status }) => status),
      [503],
    );
    assert.equal(refused, 1);
    assert.equal(messages.at(-1), 'drain: hard end, closing all connections');
  });

  it('ends hard with a client that never finishes its request', async () => {
    const client = await connectClient();
    client.send('GET / HTTP/1.1\r\n');
    const drained = start({ drainMs: 300, keepAliveTimeoutMs: 60_000 });
    await client.ended;
    await drained;
  });

  it('goes on accepting for delayMs', async () => {
    const delayMs = 300;
    const startedAt = performance.now();
    const delayed = until('drain: not ready');
    const drained = start({ delayMs });
    await delayed;
    const client = await connectClient();
    await ask(client);
    client.destroy();
    await drained;
    assert.ok(performance.now() - startedAt >= delayMs + LINGER_MS - 2);
    assert.equal(messages[0], 'drain: not ready, still accepting');
  });
});
