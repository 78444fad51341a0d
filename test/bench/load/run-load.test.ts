import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runLoad } from '../../../bench/load/run-load.ts';
import { answerEcho, answerHello, hello, loadOptions, startTestServer } from './servers.ts';

/** Only what must always add up. */
function assertSums(result: Awaited<ReturnType<typeof runLoad>>): void {
  const { sent, ok, wrong, refused, failed } = result;
  assert.equal(sent, ok + wrong + refused + failed);
}

describe('a load', () => {
  for (const [what, changes] of [
    ['one connection', { connections: 1 }],
    ['several threads', { threads: 3, connections: 7 }],
    ['pipelining', { pipelining: 8, connections: 3 }],
    ['a connection a request', { keepAlive: false, requests: 100 }],
    ['a rate', { rate: 2000, requests: 600, threads: 2 }],
    ['a rate and pipelining', { rate: 2000, requests: 500, pipelining: 4, connections: 2 }],
    ['bodies', { traffic: { kind: 'unique-echo', bytes: 1024 } }],
    ['large bodies', { traffic: { kind: 'unique-echo', bytes: 300_000 }, requests: 40 }],
    [
      'large bodies, pipelined',
      { traffic: { kind: 'unique-echo', bytes: 300_000 }, requests: 40, pipelining: 4 },
    ],
    ['GET', { method: 'GET', traffic: { kind: 'unique-echo', bytes: 8 } }],
  ] as const) {
    it(`sends exactly what is asked for with ${what}, and finds every answer right`, async (t) => {
      const server = await startTestServer(t, (body, response, request, count) => {
        if (request.method === 'GET') {
          response.end(new URL(request.url ?? '', 'http://x').searchParams.get('id'));
        } else if ('traffic' in changes) answerEcho(body, response, request, count);
        else answerHello(body, response, request, count);
      });
      const options = loadOptions(server.url, changes);
      const result = await runLoad(options);
      assertSums(result);
      const { ok, sent, byStatus, total, latency } = result;
      assert.deepEqual(
        { ok, sent, byStatus },
        {
          ok: options.requests,
          sent: options.requests,
          byStatus: { 200: options.requests },
        },
      );
      assert.deepEqual(total, { sent: options.requests, answered: server.received.count });
      assert.ok(latency.p50 > 0 && latency.p50 <= latency.p99 && latency.p99 <= latency.max);
      assert.equal(latency.percentiles.at(-1)?.[0], 100);
      assert.equal(result.lateness === null, options.rate === null);
    });
  }

  it('lasts as long as asked, with the warm-up counted in the total alone', async (t) => {
    const server = await startTestServer(t, answerHello);
    const result = await runLoad(
      loadOptions(server.url, { requests: null, durationMs: 300, warmUpMs: 200 }),
    );
    assert.equal(result.seconds, 0.3);
    assert.equal(result.total.answered, server.received.count);
    assert.ok(result.total.answered > result.sent && result.sent > 0);
    assert.equal(result.ok, result.sent);
    assert.ok(result.requestsPerSecond <= result.ok / 0.3);
  });

  it('sees a server that mixes up two answers', async (t) => {
    let held: { body: string; end(text: string): void } | null = null;
    const server = await startTestServer(t, (body, response, _request, count) => {
      // Every hundredth pair is answered crosswise.
      if (count % 200 === 0) held = { body, end: (text) => void response.end(text) };
      else if (held !== null) {
        response.end(hello(held.body));
        held.end(hello(body));
        held = null;
      } else response.end(hello(body));
    });
    const result = await runLoad(loadOptions(server.url, { requests: 999 }));
    assertSums(result);
    assert.equal(result.wrong, 8);
    assert.equal(result.ok, 991);
  });

  it('sees a wrong body beyond the first piece of a large one', async (t) => {
    const server = await startTestServer(t, (body, response, _request, count) => {
      response.end(count % 10 === 0 ? `${body.slice(0, -1)}!` : body);
    });
    const traffic = { kind: 'unique-echo', bytes: 200_000 } as const;
    const result = await runLoad(loadOptions(server.url, { traffic, requests: 50 }));
    assert.deepEqual([result.ok, result.wrong], [45, 5]);
  });

  it('sees a cut, an empty and a longer answer', async (t) => {
    const server = await startTestServer(t, (body, response, _request, count) => {
      const answers = [hello(body), hello(body).slice(0, -1), '', `${hello(body)} `];
      response.end(answers[count % 4]);
    });
    const result = await runLoad(loadOptions(server.url, { requests: 400 }));
    assert.deepEqual([result.ok, result.wrong], [100, 300]);
  });

  it('takes any total of count_vowels, and no other count', async (t) => {
    let total = 0;
    const server = await startTestServer(t, (body, response, _request, requests) => {
      const count = body.match(/[aeiou]/gi)?.length ?? 0;
      total += count;
      const shown = requests % 5 === 0 ? count + 1 : count;
      response.end(`{"count":${shown},"total":${total},"vowels":"aeiouAEIOU"}`);
    });
    const traffic = { kind: 'vowels', bytes: 1024 } as const;
    const result = await runLoad(loadOptions(server.url, { traffic, requests: 500 }));
    assert.deepEqual([result.ok, result.wrong], [400, 100]);
  });

  it('mixes a share of slow calls evenly and tells their times apart', async (t) => {
    const server = await startTestServer(t, (_body, response, request) => {
      if (request.url === '/slow') setTimeout(() => response.end('late'), 30);
      else response.end('soon');
    });
    const slow = { path: '/slow', body: '1', answer: 'late' };
    const quick = { path: '/quick', body: '', answer: 'soon' };
    const traffic = { kind: 'mixed', slowShare: 0.02, slow, quick } as const;
    const result = await runLoad(loadOptions(server.url, { traffic, requests: 500 }));
    assert.equal(result.ok, 500);
    assert.ok((result.partLatency?.slow.p50 ?? 0) >= 29_000);
    assert.ok((result.partLatency?.quick.p50 ?? 1e9) < (result.partLatency?.slow.p50 ?? 0));
  });

  it('tells refused requests from failed ones', async (t) => {
    const server = await startTestServer(t, (body, response, _request, count) => {
      const status = [200, 503, 429, 500, 404][count % 5] ?? 200;
      response.writeHead(status).end(hello(body));
    });
    const result = await runLoad(loadOptions(server.url, { requests: 500 }));
    assertSums(result);
    const { ok, wrong, refused, failed, byStatus } = result;
    assert.deepEqual([ok, wrong, refused, failed], [100, 0, 200, 200]);
    assert.deepEqual(byStatus, { 200: 100, 404: 100, 429: 100, 500: 100, 503: 100 });
    assert.ok((result.refusedLatency?.p50 ?? 0) > 0);
  });

  it('counts a broken connection as failed and goes on over a new one', async (t) => {
    const server = await startTestServer(t, (body, response, request, count) => {
      if (count % 50 === 0) request.socket.destroy();
      else response.end(hello(body));
    });
    const result = await runLoad(loadOptions(server.url, { requests: 1000 }));
    assertSums(result);
    assert.deepEqual([result.ok, result.failed, result.sent], [980, 20, 1000]);
    assert.equal(result.total.answered, 980);
  });

  it('counts every request in flight on a pipelined connection that breaks', async (t) => {
    const server = await startTestServer(t, (body, response, request, count) => {
      if (count === 5) request.socket.destroy();
      else response.end(hello(body));
    });
    const result = await runLoad(
      loadOptions(server.url, { requests: 40, connections: 1, pipelining: 8 }),
    );
    assertSums(result);
    assert.equal(result.sent, 40);
    // The fifth and the up to seven that were sent with it.
    assert.ok(result.failed >= 1 && result.failed <= 8, `${result.failed}`);
    assert.equal(result.wrong, 0);
  });

  it('sends on over a new connection after an answer that closes this one', async (t) => {
    const server = await startTestServer(t, (body, response, _request, count) => {
      if (count % 10 === 0) response.setHeader('connection', 'close');
      response.end(hello(body));
    });
    const result = await runLoad(loadOptions(server.url, { requests: 500 }));
    assert.equal(result.ok, 500);
  });

  it('counts what nobody answers, and does not hang', async (t) => {
    const server = await startTestServer(t, (body, response, _request, count) => {
      if (count % 20 !== 0) response.end(hello(body));
    });
    const result = await runLoad(loadOptions(server.url, { requests: 100, timeoutMs: 400 }));
    assertSums(result);
    assert.equal(result.sent, 100);
    assert.equal(result.failures.TIMEOUT, result.failed);
    assert.ok(result.failed >= 5);
  });

  it('says that nobody listens', async () => {
    const result = await runLoad(
      loadOptions('http://127.0.0.1:1/', { requests: 6, connections: 2 }),
    );
    assert.deepEqual([result.sent, result.failed], [6, 6]);
    assert.deepEqual(result.failures, { ECONNREFUSED: 6 });
  });

  it('names an answer that nobody asked for', async (t) => {
    const server = await startTestServer(t, (body, response, request, count) => {
      if (count % 10 !== 0) {
        response.end(hello(body));
        return;
      }
      const text = hello(body);
      const one = `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
      request.socket.write(one + one);
    });
    const result = await runLoad(loadOptions(server.url, { requests: 100, connections: 1 }));
    assertSums(result);
    assert.ok((result.failures.UNASKED ?? 0) > 0);
  });

  it('gives what there is when it is aborted, in which nothing in flight counts', async (t) => {
    const abort = new AbortController();
    const server = await startTestServer(t, (body, response, _request, count) => {
      // The rest is never answered.
      if (count <= 200) response.end(hello(body));
      if (count === 205) abort.abort();
    });
    const result = await runLoad(
      loadOptions(server.url, { requests: null, durationMs: 600_000 }),
      undefined,
      abort.signal,
    );
    assertSums(result);
    assert.deepEqual([result.ok, result.sent], [200, 200]);
    assert.ok(result.seconds < 600 && result.requestsPerSecond > 0);
  });

  it('reports how far it is', async (t) => {
    const server = await startTestServer(t, answerHello);
    const seen: string[] = [];
    await runLoad(
      loadOptions(server.url, { requests: null, durationMs: 1200, warmUpMs: 600 }),
      ({ phase, etaMs, ok }) => {
        seen.push(phase);
        assert.ok(etaMs !== null && etaMs >= 0 && etaMs <= 1800);
        assert.ok(ok >= 0);
      },
    );
    assert.ok(seen.includes('warm-up') && seen.includes('measure'), seen.join());
  });

  for (const [what, changes] of [
    ['another machine', { url: 'http://10.0.0.1/' }],
    ['another protocol', { url: 'https://127.0.0.1/' }],
    ['no URL', { url: 'localhost:80' }],
    ['more threads than connections', { threads: 9 }],
    ['pipelining without keep-alive', { pipelining: 2, keepAlive: false }],
    ['a rate of nothing', { rate: 0 }],
    ['no requests', { requests: 0 }],
    ['half a connection', { connections: 0.5 }],
    ['a GET with a body', { method: 'GET', traffic: { kind: 'fixed', body: 'x', answer: '' } }],
    ['a body without room for its number', { traffic: { kind: 'unique-echo', bytes: 7 } }],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(runLoad(loadOptions('http://127.0.0.1:1/', changes)), TypeError);
    });
  }
});
