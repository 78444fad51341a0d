/** The live page's routes on a real listener: its files, its streams, and who may have them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { createAdminServer } from '../../../src/admin/create-admin-server.ts';
import type { LiveFeed, LiveFeedOptions } from '../../../src/admin/live/live-feed.ts';
import { formatLiveReport } from '../../../src/admin/live/live-report.ts';
import type { SiblingAnswer } from '../../../src/admin/siblings.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { ownProcess, quietFeed } from '../fixtures/own-process.ts';

interface Site {
  readonly app: FastifyInstance;
  readonly feed: LiveFeed;
  readonly port: number;
}

const sites: Site[] = [];
const streams: IncomingMessage[] = [];

async function start(
  options: Partial<LiveFeedOptions> = {},
  token: string | null = null,
  metrics: () => Promise<string> = () => Promise.resolve(''),
): Promise<Site> {
  const feed = quietFeed(options);
  const app = createAdminServer({
    host: '127.0.0.1',
    token,
    cluster: {
      metrics,
      status: () => Promise.resolve({ expectedWorkers: 1, primary: null, workers: [] }),
    },
    live: feed,
    state: () => 'ready',
    requestIdPrefix: 'a-',
    onInternalError: () => {},
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const site = { app, feed, port: (app.server.address() as AddressInfo).port };
  sites.push(site);
  return site;
}

afterEach(async () => {
  for (const stream of streams.splice(0)) stream.destroy();
  for (const { app, feed } of sites.splice(0)) {
    feed.close();
    await app.close();
  }
});

interface Stream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly ended: Promise<void>;
  text(): string;
}

function open(port: number, headers: Record<string, string> = {}): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const outgoing = get({ host: '127.0.0.1', port, path: '/live/events', headers, agent: false });
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      streams.push(incoming);
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.on('error', () => {});
      const ended = new Promise<void>((end) => incoming.once('close', end));
      resolve({
        status: incoming.statusCode ?? 0,
        headers: incoming.headers,
        ended,
        text: () => text,
      });
    });
  });
}

function turns(stream: Stream): number {
  return stream.text().split('event: turn').length - 1;
}

/** A sibling with so many rows of that length. */
function answer(rows: number, since: number, row = '[1,1,[]]'): SiblingAnswer {
  const { slot, pid, state, uptimeSeconds } = ownProcess().status();
  const first = since + 1;
  const news = { first, last: rows, rows: Array.from({ length: rows - since }, () => row) };
  return {
    slot,
    pid,
    state,
    uptimeSeconds,
    body: formatLiveReport(ownProcess().status(), [], news),
  };
}

describe('the live page', () => {
  it('is served with its files, each of its type, under a strict policy', async () => {
    const { app } = await start({}, 'secret');
    const headers = { host: 'localhost' };
    const page = await app.inject({ url: '/', headers });
    assert.equal(page.statusCode, 200);
    assert.match(String(page.headers['content-type']), /^text\/html/);
    assert.equal(page.headers['cache-control'], 'no-store');
    const names = [...page.body.matchAll(/(?:href|src)="(live\/[^"]+)"/g)].map(([, name]) => name);
    assert.ok(names.length >= 6);
    for (const name of [...names, 'live/uplot.js']) {
      const file = await app.inject({ url: `/${name}`, headers });
      assert.equal(file.statusCode, 200, name);
      assert.equal(
        file.headers['content-security-policy'],
        page.headers['content-security-policy'],
      );
      assert.equal(file.headers['x-content-type-options'], 'nosniff');
    }
    const policy = String(page.headers['content-security-policy']);
    assert.match(policy, /default-src 'none'.*frame-ancestors 'none'.*base-uri 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*|data:/);
    // Nothing that the policy would stop.
    assert.doesNotMatch(page.body, /<script>|<style|\sstyle=|\son\w+=|https?:/);
  });

  it('names no file outside its folder', async () => {
    const { app } = await start();
    for (const url of [
      '/live/../admin-routes.js',
      '/live/%2e%2e/package.json',
      '/live/uplot.d.ts',
    ]) {
      assert.equal((await app.inject({ url, headers: { host: 'localhost' } })).statusCode, 404);
    }
  });

  it('asks for the token where there is one, for the stream only', async () => {
    const { port } = await start({}, 'secret');
    assert.equal((await open(port)).status, 401);
    assert.equal((await open(port, { authorization: 'Bearer wrong' })).status, 401);
    assert.equal((await open(port, { authorization: 'Bearer secret' })).status, 200);
  });

  it('is refused to a page of another name that resolves here', async () => {
    const { port, app } = await start();
    assert.equal((await open(port, { host: 'evil.example' })).status, 421);
    const page = await app.inject({ url: '/', headers: { host: 'evil.example' } });
    assert.equal(page.statusCode, 421);
  });

  it('finds its files below a prefix too', async () => {
    const { app, feed } = await start();
    const { addLiveRoutes } = await import('../../../src/admin/live/live-routes.ts');
    const { default: fastify } = await import('fastify');
    const outer = fastify();
    await outer.register(
      (scope, _options, done) => {
        addLiveRoutes(scope, feed);
        done();
      },
      { prefix: '/-/admin' },
    );
    const page = await outer.inject('/-/admin');
    assert.equal(page.statusCode, 308);
    assert.equal(page.headers.location, 'admin/');
    assert.equal((await outer.inject('/-/admin/')).statusCode, 200);
    assert.equal((await outer.inject('/-/admin/live/app.js')).statusCode, 200);
    await outer.close();
    await app.close();
  });
});

describe('a live stream', () => {
  it('says what rows mean, then a turn a second, and keeps no connection', async () => {
    const { port } = await start();
    const stream = await open(port);
    assert.equal(stream.headers.connection, 'close');
    assert.equal(stream.headers['cache-control'], 'no-store');
    await waitFor('two turns', () => turns(stream) >= 2);
    assert.match(stream.text(), /^retry: \d+\nevent: hello\ndata: \{"format":1/);
  });

  it('asks all workers once for all viewers, for what the last of them has not seen', async () => {
    const asked: number[] = [];
    const { port } = await start({
      siblings: {
        askLive: (since) => {
          asked.push(since(process.pid));
          return Promise.resolve([answer(20, since(process.pid))]);
        },
      },
    });
    const first = await open(port, { 'last-event-id': `${process.pid}:15` });
    await waitFor('its turn', () => turns(first) >= 1);
    assert.equal(asked[0], 15);
    const second = await open(port);
    await waitFor('the history', () => turns(second) >= 1);
    assert.equal(asked.at(-1), 0);
    const rowsOf = (stream: Stream): number => stream.text().split('[1,1,[]]').length - 1;
    assert.deepEqual([rowsOf(first), rowsOf(second)], [5, 20]);
    const before = asked.length;
    const seen = turns(first);
    await waitFor('two more turns', () => turns(first) >= seen + 2);
    assert.ok(asked.length - before <= 3, `${asked.length - before} asked for two turns`);
    assert.equal(asked.at(-1), 20);
  });

  it('asks nobody when nobody looks', async () => {
    let asked = 0;
    const { port, feed } = await start({
      siblings: {
        askLive: () => {
          asked++;
          return Promise.resolve([]);
        },
      },
    });
    assert.equal(asked, 0);
    const stream = await open(port);
    await waitFor('a turn', () => turns(stream) >= 1);
    for (const one of streams.splice(0)) one.destroy();
    await waitFor('the viewer to be gone', () => feed.viewers === 0);
    const before = asked;
    // What is waited for is the time itself: a turn would come in it.
    await new Promise((resolve) => setTimeout(resolve, 1300));
    assert.equal(asked, before);
  });

  it('shows a sibling that cannot be understood as silent, and the others all the same', async () => {
    const { port } = await start({
      siblings: {
        askLive: (since) =>
          Promise.resolve([
            answer(1, since(process.pid)),
            { slot: '1', pid: 77, state: 'ready', uptimeSeconds: 1, body: '{"format":9}' },
          ]),
      },
    });
    const stream = await open(port);
    await waitFor('a turn', () => turns(stream) >= 1);
    assert.match(stream.text(), /\{"slot":"1","pid":77,"state":"silent"\}/);
    assert.match(stream.text(), /\[1,1,\[\]\]/);
  });

  it('ends when the worker leaves, and any other at once then', async () => {
    const { port, feed } = await start();
    const stream = await open(port);
    feed.close();
    await stream.ended;
    assert.equal(feed.viewers, 0);
    const late = await open(port);
    await late.ended;
    assert.equal(late.status, 200);
    assert.equal(late.headers.connection, 'close');
    assert.match(late.text(), /^retry: 250\nevent: hello\n/);
    assert.equal(turns(late), 1);
  });

  it('is refused when too many are open, until one is closed', async () => {
    const { port, feed } = await start({ maxViewers: 2 });
    await open(port);
    await open(port);
    const third = await open(port);
    assert.equal(third.status, 503);
    await waitFor('the problem', () => third.text().includes('QUEUE_FULL'));
    streams.shift()?.destroy();
    await waitFor('one to be gone', () => feed.viewers === 1);
    assert.equal((await open(port)).status, 200);
  });

  // Seen failing: no such stream was ever closed, and the page was refused for good.
  it('is closed with its connection before its turn behind another reply', async () => {
    const never = new Promise<string>(() => {});
    const { port, feed } = await start({}, null, () => never);
    const client = connect(port, '127.0.0.1');
    const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`;
    client.write(ask('/metrics') + ask('/live/events'));
    await waitFor('the stream', () => feed.viewers === 1);
    client.destroy();
    await waitFor('it to be gone', () => feed.viewers === 0);
  });

  it('buffers one event for a reader that stands still, drops it in time, and serves the others', async () => {
    // Each turn is far more than sockets hold.
    const row = `[1,1,[${'0,1,'.repeat(4_000_000)}0,1]]`;
    let now = 0;
    let asked = 0;
    const { port, feed, app } = await start({
      blockedMs: 5000,
      clock: () => now,
      siblings: {
        askLive: (since) => {
          asked++;
          return Promise.resolve([answer(since(process.pid) + 1, since(process.pid), row)]);
        },
      },
    });
    let buffered = 0;
    app.server.on('connection', (socket) => {
      socket.on('close', () => {});
      const watch = setInterval(() => {
        buffered = Math.max(buffered, socket.writableLength);
      }, 20);
      socket.once('close', () => clearInterval(watch));
    });
    const still = connect(port, '127.0.0.1');
    still.write('GET /live/events HTTP/1.1\r\nhost: localhost\r\n\r\n');
    still.pause();
    still.on('error', () => {});
    await waitFor('the first turn', () => asked >= 1 && feed.viewers === 1);
    // Time for two more turns, in which it takes nothing.
    await new Promise((resolve) => setTimeout(resolve, 2300));
    assert.ok(buffered > 0);
    assert.ok(buffered < 2 * row.length, `${buffered} bytes are buffered`);
    assert.equal(asked, 1);
    now = 5001;
    // Well before the listener's own limit for connections without traffic.
    await waitFor('the reader to be dropped', () => feed.viewers === 0, 5000);
    const other = await open(port);
    await once(streams.at(-1) as IncomingMessage, 'data');
    assert.equal(other.status, 200);
    still.destroy();
  });
});
