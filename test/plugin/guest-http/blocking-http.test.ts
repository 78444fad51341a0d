/** HTTP for a thread that sleeps until the answer is there. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createBlockingHttp } from '../../../src/plugin/guest-http/blocking-http.ts';
import type { GuestHttpLimits } from '../../../src/plugin/guest-http/guest-http-requester.ts';
import { createHttpChannel } from '../../../src/plugin/guest-http/http-channel.ts';
import { serveHttp } from '../../../src/plugin/guest-http/serve-http.ts';
import { createSuspendingHttp } from '../../../src/plugin/guest-http/suspending-http.ts';
import type { GuestHttpResponse } from '../../../src/plugin/kernel/http-host.ts';
import type { BlockingTask } from './fixtures/blocking-worker.ts';
import { failureOf, guestRequest, startServer } from './fixtures/servers.ts';

const LIMITS: GuestHttpLimits = { allowedHosts: ['127.0.0.1'], maxHttpResponseBytes: 100_000 };

interface Outcome {
  readonly response: GuestHttpResponse | null;
  readonly failure: unknown[];
  readonly tookMs: number;
  /** Turns of the thread's event loop while it waited. */
  readonly turns: number;
}

function startThread(t: TestContext, { serves = true } = {}) {
  const { guest, host } = createHttpChannel();
  const served = serves ? serveHttp(host, LIMITS) : null;
  const worker = new Worker(new URL('./fixtures/blocking-worker.js', import.meta.url), {
    workerData: guest,
    transferList: [guest.port],
    execArgv: [],
  });
  t.after(async () => {
    await worker.terminate();
    served?.close();
    host.port.close();
  });
  return {
    worker,
    host,
    ask: async (task: Partial<BlockingTask> & Pick<BlockingTask, 'request'>): Promise<Outcome> => {
      worker.postMessage({ body: null, remainingMs: 30_000, times: 1, ...task });
      const [outcome] = await once(worker, 'message');
      return outcome as Outcome;
    },
  };
}

describe('blocking HTTP', () => {
  it('brings the answer to a thread whose event loop stands still', async (t) => {
    const server = await startServer(t, (request, response) => {
      response.setHeader('x-method', request.method ?? '').end('x'.repeat(70_000));
    });
    const { ask } = startThread(t);
    const url = `http://127.0.0.1:${server.port}/`;
    const outcome = await ask({ request: guestRequest(url, 'POST'), body: Buffer.from('body') });
    assert.deepEqual(outcome.failure, ['no failure']);
    assert.equal(outcome.response?.status, 200);
    assert.equal(outcome.response?.headers?.['x-method'], 'POST');
    assert.equal(outcome.response?.body.length, 70_000);
    assert.equal(outcome.turns, 0);
    assert.deepEqual(server.bodies, ['body']);
  });

  it('loses no wake-up in many requests', async (t) => {
    const server = await startServer(t, (_request, response) => response.end('ok'));
    const { ask } = startThread(t);
    const request = guestRequest(`http://127.0.0.1:${server.port}/`);
    const outcome = await ask({ request, times: 1_000 });
    assert.deepEqual(outcome.failure, ['no failure']);
    assert.equal(server.seen.length, 1_000);
  });

  it('throws what the other side refused, with its reason', async (t) => {
    const { ask } = startThread(t);
    const outcome = await ask({ request: guestRequest('http://other.test/') });
    assert.deepEqual(outcome.failure, ['PLUGIN_ERROR', 'host']);
  });

  it('wakes at the deadline when no answer comes, and drops the one that comes late', async (t) => {
    const { ask, host } = startThread(t, { serves: false });
    const request = guestRequest('http://127.0.0.1/');
    const late = await ask({ request, remainingMs: 50 });
    assert.deepEqual(late.failure, ['CALL_DEADLINE', 'timeoutMs']);
    assert.ok(late.tookMs >= 49, `${late.tookMs} ms`);
    const answer = (id: number, word: string): void => {
      host.port.postMessage({
        id,
        response: { status: 200, headers: {}, body: Buffer.from(word) },
      });
      Atomics.add(host.answers, 0, 1);
      Atomics.notify(host.answers, 0);
    };
    answer(1, 'late');
    host.port.on('message', ({ id }: { id: number }) => {
      if (id === 2) answer(2, 'in time');
    });
    const second = await ask({ request });
    assert.equal(Buffer.from(second.response?.body ?? []).toString(), 'in time');
  });

  it('starts nothing when no time is left', async () => {
    const { guest, host } = createHttpChannel();
    const http = createBlockingHttp(guest, () => 0);
    assert.deepEqual(await failureOf(() => http.request(guestRequest('http://a.test/'), null)), [
      'CALL_DEADLINE',
      'timeoutMs',
    ]);
    guest.port.postMessage('nothing before this');
    assert.deepEqual(await once(host.port, 'message'), ['nothing before this']);
    host.port.close();
  });

  it('gives up a request whose thread was terminated', async (t) => {
    const server = await startServer(t, () => {});
    const { worker } = startThread(t);
    const request = guestRequest(`http://127.0.0.1:${server.port}/`);
    worker.postMessage({ request, body: null, remainingMs: 30_000, times: 1 });
    while (server.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const socket = server.seen[0]?.socket;
    assert.ok(socket);
    const closed = once(socket, 'close');
    await worker.terminate();
    await closed;
  });
});

describe('suspending HTTP', () => {
  it('asks for the remaining time at each request', async (t) => {
    const server = await startServer(t, (_request, response) => response.end('ok'));
    let remainingMs = 30_000;
    const http = createSuspendingHttp({ ...LIMITS, remainingMs: () => remainingMs });
    t.after(() => http.close());
    const request = guestRequest(`http://127.0.0.1:${server.port}/`);
    assert.equal(http.kind, 'suspending');
    assert.equal((await http.request(request, null)).status, 200);
    remainingMs = 0;
    assert.deepEqual(await failureOf(http.request(request, null)), ['CALL_DEADLINE', 'timeoutMs']);
    remainingMs = 30_000;
    http.close();
    assert.deepEqual(await failureOf(http.request(request, null)), ['PLUGIN_ERROR', 'closed']);
  });
});
