/** A server that stalls once: what of it a measurement sees. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runLoad } from '../../../bench/load/run-load.ts';
import { hello, loadOptions, startTestServer, type TestServer } from './servers.ts';

const STALL_MS = 1000;
const RATE = 200;
const REQUESTS = 600;

/** Answers at once but for one second, in which nobody gets an answer. */
function startStallingServer(t: { after(end: () => void): void }): Promise<TestServer> {
  let stall: Promise<void> | null = null;
  return startTestServer(t, async (body, response, _request, count) => {
    if (count === REQUESTS / 3) {
      stall = new Promise((resolve) => setTimeout(resolve, STALL_MS));
    }
    await stall;
    response.end(hello(body));
  });
}

describe('the open loop', () => {
  it('sees a stall in the latency of all whom it delays', async (t) => {
    const server = await startStallingServer(t);
    const { latency, ok } = await runLoad(
      loadOptions(server.url, { rate: RATE, requests: REQUESTS, connections: 2 }),
    );
    assert.equal(ok, REQUESTS);
    // Of 600 requests 200 were due in the stall, and half of those waited for at least half of it.
    assert.ok(latency.p90 >= 400_000, `${latency.p90}`);
    assert.ok(latency.max >= STALL_MS * 990);
  });

  it('is needed for that: measured from sending, the same stall is one slow request a connection', async (t) => {
    const server = await startStallingServer(t);
    const { latency, ok } = await runLoad(
      loadOptions(server.url, { requests: REQUESTS, connections: 2 }),
    );
    assert.equal(ok, REQUESTS);
    assert.ok(latency.max >= STALL_MS * 990, 'the stall happened');
    assert.ok(latency.p99 < 400_000, `${latency.p99}`);
  });

  it('counts a request that no connection had room for in its time', async (t) => {
    const server = await startTestServer(t, () => {});
    const result = await runLoad(
      loadOptions(server.url, { rate: 100, requests: 30, connections: 2, timeoutMs: 500 }),
    );
    assert.deepEqual([result.sent, result.failed], [30, 30]);
    const { TIMEOUT = 0, NOT_SENT = 0 } = result.failures;
    assert.equal(TIMEOUT + NOT_SENT, 30);
    assert.equal(result.total.sent, TIMEOUT);
    assert.ok(NOT_SENT > 0);
  });
});
