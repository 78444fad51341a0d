/** Every error is a problem document with the right status, or what the route asks for instead. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { ERROR_CODES, ERRORS, ServerError } from '../../src/errors.ts';
import { statusOf } from '../../src/http/status.ts';
import { parseSamples, sumOf } from '../helpers/exposition.ts';
import { exampleWasm } from '../helpers/paths.ts';
import { pipeline, type WireReply } from '../helpers/pipelined-client.ts';
import { type PublicFixture, startPublicServer } from './fixture.ts';
import { WireClient } from './wire-client.ts';

const LIMIT = 1000;
const SECRET = 'Zb4-guest-text';

function problemOf(reply: WireReply | undefined): Record<string, unknown> {
  assert.ok(reply);
  assert.equal(reply.headers['content-type'], 'application/problem+json');
  assert.equal(reply.headers['cache-control'], 'no-store');
  const problem = JSON.parse(reply.body) as Record<string, unknown>;
  assert.equal(problem.status, reply.status);
  return problem;
}

describe('an error', () => {
  let server: PublicFixture;
  before(async () => {
    server = await startPublicServer({
      http: { bodyLimitBytes: LIMIT },
      plugins: {
        echo: { wasm: exampleWasm('echo') },
        error: { wasm: exampleWasm('error') },
        trap: { wasm: exampleWasm('trap') },
        slow: { wasm: exampleWasm('slow'), timeoutMs: 4900, queue: { max: 1, waitMs: 200 } },
      },
      routes: [
        { path: '/echo', plugin: 'echo', function: 'echo' },
        { path: '/by-id/:id', plugin: 'echo', function: 'echo' },
        { path: '/error', plugin: 'error', function: 'error' },
        {
          path: '/article',
          plugin: 'error',
          function: 'error',
          errorStatus: 409,
          errorBody: 'plugin',
        },
        {
          path: '/article-echo',
          plugin: 'echo',
          function: 'echo',
          errorStatus: 409,
          errorBody: 'plugin',
        },
        { path: '/status', plugin: 'error', function: 'error', errorStatus: 422 },
        { path: '/body', plugin: 'error', function: 'error', errorBody: 'plugin' },
        { path: '/trap', plugin: 'trap', function: 'trap' },
        { path: '/trap-409', plugin: 'trap', function: 'trap', errorStatus: 409 },
        { path: '/ok', plugin: 'trap', function: 'ok' },
        { path: '/slow', plugin: 'slow', function: 'slow', errorStatus: 409, errorBody: 'plugin' },
      ],
    });
  });
  after(() => server.close());

  const ask = async (path: string, body: string | Uint8Array = '', method = 'POST') => {
    const [reply] = await pipeline(server.port, [{ path, body, method }]);
    return reply;
  };

  it('is a problem document with these members and no others', async () => {
    const problem = problemOf(await ask('/error', SECRET));
    assert.match(String(problem.requestId), /^test-/);
    assert.deepEqual(
      { ...problem, requestId: 'id' },
      {
        type: 'about:blank',
        title: 'Internal Server Error',
        status: 500,
        detail: ERRORS.PLUGIN_ERROR.summary,
        code: 'PLUGIN_ERROR',
        requestId: 'id',
      },
    );
  });

  it('has an id of its own for each request', async () => {
    const replies = await pipeline(server.port, [{ path: '/error' }, { path: '/error' }]);
    const [one, other] = replies.map((reply) => problemOf(reply).requestId);
    assert.notEqual(one, other);
  });

  it('never shows what the plugin wrote', async () => {
    for (const path of ['/error', '/status', '/trap', '/trap-409']) {
      const reply = await ask(path, SECRET);
      assert.doesNotMatch(JSON.stringify(reply), new RegExp(`${SECRET}|no such user|unreachable`));
    }
  });

  it('is as in the article where the route says errorStatus 409 and errorBody plugin', async () => {
    const reply = await ask('/article', 'Bob');
    assert.equal(reply?.status, 409);
    assert.equal(reply.body, 'no such user: Bob');
    assert.equal(reply.headers['content-type'], 'text/plain; charset=utf-8');
  });

  it('keeps status and body apart: errorStatus alone, errorBody alone', async () => {
    assert.equal(problemOf(await ask('/status')).status, 422);
    const reply = await ask('/body', 'x');
    assert.equal(reply?.status, 500);
    assert.equal(reply.body, 'no such user: x');
  });

  it('keeps its own status where it is not the plugin that is wrong', async () => {
    const problem = problemOf(await ask('/article-echo', 'x'.repeat(LIMIT + 1)));
    assert.equal(problem.status, 413);
  });

  it('is 413 for a body over the limit, by length', async () => {
    assert.equal((await ask('/echo', 'x'.repeat(LIMIT)))?.status, 200);
    const problem = problemOf(await ask('/echo', 'x'.repeat(LIMIT + 1)));
    assert.equal(problem.status, 413);
    assert.equal(problem.code, 'BODY_TOO_LARGE');
  });

  it('is 413 for a body over the limit, in chunks, which reach no plugin', async () => {
    const before = server.acquired();
    const client = await WireClient.connect(server.port);
    const half = `${(LIMIT - 1).toString(16)}\r\n${'x'.repeat(LIMIT - 1)}\r\n`;
    client.send(
      `POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${half}${half}`,
    );
    const [reply] = await client.answers(1);
    const problem = problemOf(reply);
    assert.equal(problem.status, 413);
    assert.equal(problem.code, 'BODY_TOO_LARGE');
    assert.equal(server.acquired(), before);
    client.destroy();
  });

  it('is 413 also for a client that reads only when it has sent everything, and what it sent behind is not run', async () => {
    const before = server.acquired();
    const length = 16 * 1024 * 1024;
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.pause();
    const next = 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx';
    socket.write(`POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`);
    await new Promise<void>((resolve, reject) => {
      socket.write(`${'x'.repeat(length)}${next}`, (error) => (error ? reject(error) : resolve()));
    });
    const replies = await text(socket);
    assert.match(replies, /^HTTP\/1\.1 413 .*"BODY_TOO_LARGE".*\}$/s);
    assert.equal(replies.match(/HTTP\/1\.1/g)?.length, 1);
    assert.equal(server.acquired(), before);
  });

  it('is 404 for a path or a method without a route', async () => {
    for (const [path, method] of [
      ['/nowhere', 'POST'],
      ['/echo', 'GET'],
      ['/echo/', 'POST'],
      ['/echo', 'PROPFIND'],
      ['*', 'OPTIONS'],
    ] as const) {
      const problem = problemOf(await ask(path, '', method));
      assert.equal(problem.status, 404, `${method} ${path}`);
      assert.equal(problem.code, 'ROUTE_NOT_FOUND');
    }
  });

  it('is 400 for a path that cannot be decoded, counted with the time it took', async () => {
    const problem = problemOf(await ask('/by-id/%zz'));
    assert.equal(problem.status, 400);
    assert.equal(problem.code, 'BAD_REQUEST');
    const record = server.records.at(-1);
    assert.equal(record?.route, 'unmatched');
    assert.ok(record.durationMs < 1000, `${record.durationMs} ms`);
  });

  it('adds no metric label that a client invented', async () => {
    for (let index = 0; index < 20; index++) await ask(`/invented-${index}?q=${index}`);
    await ask('/invented', '', 'PROPFIND');
    const text = await server.metrics.text();
    assert.doesNotMatch(text, /invented|PROPFIND|zz/);
    const counted = sumOf(
      parseSamples(text),
      'http_request_duration_seconds_count',
      'route="unmatched"',
    );
    assert.ok(counted >= 21);
    const methods = text.matchAll(/^http_request_duration_seconds_count\{.*method="(\w+)"/gm);
    for (const [, method] of methods) assert.match(String(method), /^(GET|POST|OPTIONS|OTHER)$/);
  });

  it('is 502 for a trap, for that caller alone, and the next call is right', async () => {
    const paths = ['/ok', '/trap', '/ok', '/trap', '/trap', '/ok'];
    const replies = await pipeline(
      server.port,
      paths.map((path) => ({ path })),
    );
    for (const [index, reply] of replies.entries()) {
      if (paths[index] === '/ok') {
        assert.equal(reply.body, 'ok');
      } else {
        const problem = problemOf(reply);
        assert.equal(problem.status, 502);
        assert.equal(problem.code, 'PLUGIN_TRAPPED');
      }
    }
  });

  it('is 503 with Retry-After for a full queue and for a wait that took too long', async () => {
    // The first takes the permit for some 600 ms, the second may wait, for the others there is no place.
    const replies = await pipeline(
      server.port,
      Array.from({ length: 5 }, () => ({ path: '/slow', body: '60000' })),
    );
    assert.equal(replies[0]?.status, 200);
    const refused = replies.slice(1);
    for (const reply of refused) {
      assert.equal(reply.status, 503);
      assert.match(reply.headers['retry-after'] ?? '', /^\d+$/);
    }
    const codes = refused.map((reply) => problemOf(reply).code);
    assert.deepEqual(codes, ['WAIT_DEADLINE', 'QUEUE_FULL', 'QUEUE_FULL', 'QUEUE_FULL']);
    assert.equal((await ask('/slow', '1'))?.status, 200);
  });
});

describe('statusOf', () => {
  it('has a status of the right class for every code', () => {
    const classes = { configuration: [500], request: [400, 404, 413, 499], capacity: [503] };
    for (const code of ERROR_CODES) {
      const status = statusOf(new ServerError(code, ''), null);
      const { kind, retryable } = ERRORS[code];
      const allowed = { ...classes, plugin: [500, 502, 504], internal: [500] }[kind];
      assert.ok(allowed.includes(status), `${code} is ${status}`);
      assert.equal(retryable, status === 503 || status === 499, code);
    }
  });

  it('gives the statuses of the contract', () => {
    const statuses = [
      'QUEUE_FULL',
      'WAIT_DEADLINE',
      'CALL_DEADLINE',
      'PLUGIN_TRAPPED',
      'PLUGIN_ERROR',
    ] as const;
    assert.deepEqual(
      statuses.map((code) => statusOf(new ServerError(code, ''), null)),
      [503, 503, 504, 502, 500],
    );
  });

  it('lets errorStatus stand for the errors of the plugin only', () => {
    for (const code of ERROR_CODES) {
      const isPlugins = ERRORS[code].kind === 'plugin';
      assert.equal(statusOf(new ServerError(code, ''), 409) === 409, isPlugins, code);
    }
  });
});
