/** What the listener counts of itself, by real connections and requests. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PublicServerOptions } from '../../src/http/create-public-server.ts';
import { parseSamples } from '../helpers/exposition.ts';
import { exampleWasm } from '../helpers/paths.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { type PublicFixture, startPublicServer } from './fixture.ts';
import { WireClient } from './wire-client.ts';

const LIMIT = 1000;
const MAX_CONNECTIONS = 4;

function start(changes: Partial<PublicServerOptions> = {}): Promise<PublicFixture> {
  const file = {
    http: {
      bodyLimitBytes: LIMIT,
      headersTimeoutMs: 300,
      requestTimeoutMs: 600,
      maxConnections: MAX_CONNECTIONS,
    },
    plugins: {
      echo: { wasm: exampleWasm('echo') },
      slow: { wasm: exampleWasm('slow'), queue: { max: 1, waitMs: 9000 } },
      trap: { wasm: exampleWasm('trap') },
    },
    routes: [
      { path: '/echo', plugin: 'echo', function: 'echo' },
      { path: '/slow', plugin: 'slow', function: 'slow' },
      { path: '/trap', plugin: 'trap', function: 'trap' },
    ],
  };
  return startPublicServer(file, changes);
}

const request = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

/** What `/metrics` shows of the listener, without the label of the worker; zeros are left out. */
async function shown(server: PublicFixture): Promise<Record<string, number>> {
  const samples = parseSamples(await server.metrics.text())
    .filter(({ series, value }) => series.startsWith('plugind_http_') && value !== 0)
    .map(({ series, value }) => [
      /reason="(\w+)"/.exec(series)?.[1] ?? /^plugind_http_(\w+)/.exec(series)?.[1] ?? series,
      value,
    ]);
  return Object.fromEntries(samples) as Record<string, number>;
}

/** Sends a text and waits until the server ended the connection and knows it. */
async function sendAndLeave(server: PublicFixture, text: string): Promise<void> {
  const client = await WireClient.connect(server.port);
  client.send(text);
  await client.ended;
  client.destroy();
  await waitFor('the connection to go', () => server.connections.count === 0);
}

const closing = (text: string): string => text.replace('\r\n', '\r\nconnection: close\r\n');

const REFUSED: Readonly<Record<string, readonly (readonly [name: string, text: string])[]>> = {
  malformed: [
    ['no HTTP at all', 'nonsense\r\n\r\n'],
    ['two lengths', request('/echo', 'x').replace('host', 'content-length: 2\r\nhost')],
    [
      'a broken chunk',
      `POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`,
    ],
    [
      'a head that is too large',
      `GET /echo HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
    ],
    ['no host', 'GET /echo HTTP/1.1\r\n\r\n'],
    ['nonsense behind nonsense', 'nonsense\r\n\r\nnonsense\r\n\r\n'],
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n'],
  ],
  timeout: [
    ['half a head', 'GET /echo HTTP/1.1\r\nhost: x\r\n'],
    ['half a body', 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nx'],
  ],
  body_too_large: [
    ['a body by its length', closing(request('/echo', 'x'.repeat(LIMIT + 1)))],
    [
      'a body in chunks',
      closing(
        `POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n7d0\r\n${'x'.repeat(2000)}\r\n0\r\n\r\n`,
      ),
    ],
  ],
  not_found: [
    ['a path', closing(request('/nope', 'x'))],
    ['a method', closing('GET /echo HTTP/1.1\r\nhost: x\r\n\r\n')],
  ],
  bad_request: [
    ['a path that cannot be decoded', closing(request('/%zz', 'x'))],
    ['an unknown expectation', closing('GET /echo HTTP/1.1\r\nhost: x\r\nexpect: tea\r\n\r\n')],
  ],
};

describe('what is refused before a queue', () => {
  for (const [reason, cases] of Object.entries(REFUSED)) {
    for (const [name, text] of cases) {
      it(`counts once as ${reason}: ${name}`, async () => {
        const server = await start();
        try {
          await sendAndLeave(server, text);
          assert.deepEqual(await shown(server), { [reason]: 1 });
          await sendAndLeave(server, closing(request('/echo', 'x')));
          await sendAndLeave(server, text);
          assert.deepEqual(await shown(server), { [reason]: 2 });
          assert.equal(server.acquired(), 1);
        } finally {
          await server.close();
        }
      });
    }
  }

  it('counts connections over the limit as connection_limit', async () => {
    const server = await start();
    try {
      const connect = () => WireClient.connect(server.port);
      const kept = await Promise.all(Array.from({ length: MAX_CONNECTIONS }, connect));
      await waitFor('all to be there', () => server.connections.count === MAX_CONNECTIONS);
      for (const client of await Promise.all([connect(), connect(), connect()])) {
        await client.ended;
      }
      assert.deepEqual(await shown(server), { connections: MAX_CONNECTIONS, connection_limit: 3 });
      for (const client of kept) client.destroy();
      await waitFor('all to be gone', () => server.connections.count === 0);
      assert.deepEqual(await shown(server), { connection_limit: 3 });
    } finally {
      await server.close();
    }
  });

  it('is nothing that a plugin, its queue or a client that left ended', async () => {
    const server = await start();
    try {
      const slow = request('/slow', '2000');
      const client = await WireClient.connect(server.port);
      client.send(slow + slow + slow + request('/trap', '') + request('/echo', 'x'));
      const statuses = (await client.answers(5)).map(({ status }) => status);
      assert.deepEqual(statuses.sort(), [200, 200, 200, 502, 503]);
      client.send('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n1');
      await waitFor('the head', async () => (await shown(server)).requests_in_flight === 1);
      client.destroy();
      await waitFor('the record', () => server.records.at(-1)?.code === 'CLIENT_CLOSED');
      await waitFor('it to be gone', () => server.connections.count === 0);
      assert.deepEqual(await shown(server), {});
    } finally {
      await server.close();
    }
  });
});

describe('requests in flight', () => {
  it('are those between their head and their reply, pipelined ones too', async () => {
    const atReply: number[] = [];
    const server = await start({
      logRequest: () => atReply.push(server.gauges.requestsInFlight()),
    });
    try {
      const client = await WireClient.connect(server.port);
      client.send('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\na');
      await waitFor('the head', async () => (await shown(server)).requests_in_flight === 1);
      assert.deepEqual(await shown(server), { connections: 1, requests_in_flight: 1 });
      client.send(`bc${request('/echo', 'd').repeat(3)}`);
      await client.answers(4);
      // The pipelined ones were read in one turn, before any of them was answered.
      assert.deepEqual(atReply.slice(-3), [2, 1, 0]);
      assert.deepEqual(await shown(server), { connections: 1 });
      client.destroy();
    } finally {
      await server.close();
    }
  });

  it('come to nothing whatever the clients do', async () => {
    const server = await start();
    try {
      const texts = [
        ...Object.values(REFUSED).flatMap((cases) => cases.map(([, text]) => text)),
        request('/echo', 'x'),
        request('/trap', 'x'),
        request('/slow', '2000').repeat(3),
        'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n1',
      ];
      for (const text of texts) {
        const client = await WireClient.connect(server.port);
        client.send(text);
        await waitFor('the connection', () => server.connections.count === 1);
        client.destroy();
        await waitFor('it to be gone', () => server.connections.count === 0);
      }
      await waitFor('nothing to be in flight', async () => {
        const { requests_in_flight: inFlight = 0 } = await shown(server);
        assert.ok(inFlight >= 0);
        return inFlight === 0;
      });
    } finally {
      await server.close();
    }
  });
});
