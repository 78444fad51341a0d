/** `plugind serve` told to stop while clients go on: nobody whom it accepted is left without an answer. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { exampleWasm } from '../helpers/paths.ts';
import type { WireReply } from '../helpers/pipelined-client.ts';
import { type ServerProcess, startServer } from '../helpers/server-process.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { writeConfig } from '../helpers/write-config.ts';
import { WireClient } from '../http/wire-client.ts';

const WORKERS = 2;
const KEEPING_CLIENTS = 16;
const FRESH_CLIENTS = 4;
const LONGEST_PAUSE_MS = 100;
/** A connection younger than this when the signal is sent may still lie in the system's queue, unaccepted. */
const ACCEPT_MS = 100;

const CONFIG = {
  http: { requestTimeoutMs: 60_000 },
  shutdown: { drainMs: 8000 },
  plugins: {
    echo: { wasm: exampleWasm('echo') },
    slow: { wasm: exampleWasm('slow') },
  },
  routes: [
    { path: '/echo', plugin: 'echo', function: 'echo' },
    { path: '/slow', plugin: 'slow', function: 'slow' },
  ],
};

const request = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

interface Load {
  answered: number;
  wrong: number;
  failed: number;
  signalledAt: number;
}

/** Sends requests one after another until the listener is closed. */
async function runClient(port: number, load: Load, keepsConnection: boolean): Promise<void> {
  for (let count = 0; ; ) {
    const client = await WireClient.connect(port).catch(() => null);
    if (client === null) return;
    const connectedAt = performance.now();
    let replies = 0;
    for (;;) {
      const id = `${port}-${connectedAt}-${count++}`;
      client.send(request('/echo', id));
      const reply = (await client.answers(replies + 1).catch(() => []))[replies];
      if (reply === undefined) {
        const wasAccepted = replies > 0 || connectedAt < load.signalledAt - ACCEPT_MS;
        if (wasAccepted) load.failed++;
        break;
      }
      replies++;
      load.answered++;
      if (reply.status !== 200 || reply.body !== id) load.wrong++;
      if (!keepsConnection || reply.headers.connection === 'close') break;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_PAUSE_MS));
    }
    client.destroy();
  }
}

describe('plugind serve, told to stop', () => {
  let server: ServerProcess;
  let exited: Promise<number | null>;

  const start = async (config: unknown = CONFIG): Promise<void> => {
    server = await startServer({
      args: ['--config', writeConfig(config), '--workers', String(WORKERS)],
    });
    exited = new Promise((resolve) => server.child.once('close', resolve));
  };
  const drainingWorkers = (): number =>
    server.output.stdout.match(/drain: wait for connections/g)?.length ?? 0;

  afterEach(async () => {
    if (server.child.exitCode === null) server.child.kill('SIGKILL');
    await exited;
  });

  it('answers every request that it accepted, and exits 0', async () => {
    await start();
    const load: Load = { answered: 0, wrong: 0, failed: 0, signalledAt: Number.POSITIVE_INFINITY };
    const clients = [
      ...Array.from({ length: KEEPING_CLIENTS }, () => runClient(server.port, load, true)),
      ...Array.from({ length: FRESH_CLIENTS }, () => runClient(server.port, load, false)),
    ];
    await waitFor('some load', () => load.answered > 300);
    load.signalledAt = performance.now();
    server.child.kill('SIGTERM');
    await Promise.all(clients);
    assert.equal(await exited, 0, server.output.stderr);
    assert.equal(load.failed, 0, `${load.failed} of ${load.answered} failed`);
    assert.equal(load.wrong, 0);
    assert.equal(server.output.stdout.match(/drain: done/g)?.length, WORKERS);
  });

  it('answers on connections that were idle, with Connection: close', async () => {
    await start();
    const idle = await Promise.all(
      Array.from({ length: 10 }, () => WireClient.connect(server.port)),
    );
    for (const client of idle) {
      client.send(request('/echo', 'before'));
      const [reply] = await client.answers(1);
      assert.notEqual(reply?.headers.connection, 'close');
    }
    server.child.kill('SIGTERM');
    await waitFor('every worker to drain', () => drainingWorkers() === WORKERS);
    for (const client of idle) {
      client.send(request('/echo', 'after'));
      await client.ended;
      const reply = client.replies()[1];
      assert.equal(reply?.body, 'after');
      assert.equal(reply.headers.connection, 'close');
      client.destroy();
    }
    assert.equal(await exited, 0, server.output.stderr);
  });

  it('answers every request of a pipeline, the last one with Connection: close', async () => {
    await start();
    const REQUESTS = 100;
    const client = await WireClient.connect(server.port);
    client.send(request('/slow', '500').repeat(REQUESTS));
    await client.answers(1);
    server.child.kill('SIGTERM');
    await client.ended;
    const replies = client.replies();
    assert.equal(replies.length, REQUESTS);
    assert.ok(replies.every(({ status }) => status === 200));
    const isLast = ({ headers }: WireReply): boolean => headers.connection === 'close';
    assert.deepEqual(replies.filter(isLast), replies.slice(-1));
    client.destroy();
    assert.equal(await exited, 0, server.output.stderr);
  });

  it('ends at drainMs although a client never finishes its request', async () => {
    const echo = { wasm: exampleWasm('echo'), queue: { waitMs: 100 } };
    await start({
      http: { ...CONFIG.http, keepAliveTimeoutMs: 500 },
      shutdown: { drainMs: 1500 },
      plugins: { echo },
      routes: [{ path: '/echo', plugin: 'echo', function: 'echo' }],
    });
    const client = await WireClient.connect(server.port);
    client.send(request('/echo', 'whole'));
    await client.answers(1);
    client.send('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf');
    server.child.kill('SIGTERM');
    await client.ended;
    client.destroy();
    assert.equal(await exited, 0, server.output.stderr);
    assert.match(server.output.stdout, /drain: hard end/);
  });
});
