/** What a guest may ask of the network, and what it gets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { ServerError } from '../../../src/errors.ts';
import {
  type GuestHttpLimits,
  GuestHttpRequester,
} from '../../../src/plugin/guest-http/guest-http-requester.ts';
import type { GuestHttpResponse } from '../../../src/plugin/kernel/http-host.ts';
import {
  failureOf,
  guestRequest,
  loopbackResolver,
  startRawServer,
  startServer,
} from './fixtures/servers.ts';

const LONG_MS = 30_000;

function createRequester(t: TestContext, limits: Partial<GuestHttpLimits> = {}) {
  const requester = new GuestHttpRequester({
    allowedHosts: ['127.0.0.1'],
    maxHttpResponseBytes: 1_000,
    ...limits,
  });
  t.after(() => requester.close());
  return {
    requester,
    send: (
      request: Uint8Array | string,
      body: Uint8Array | null = null,
      remainingMs = LONG_MS,
    ): Promise<GuestHttpResponse> =>
      requester.send(
        typeof request === 'string' ? guestRequest(request) : request,
        body,
        remainingMs,
      ),
  };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('a guest request', () => {
  it('carries method, headers and body, and brings status, headers and body back', async (t) => {
    const server = await startServer(t, (_request, response) => {
      response.writeHead(418, { 'X-Kind': 'Pot', 'Set-Cookie': ['a=1', 'b=2'] });
      response.end('short and stout');
    });
    const { send } = createRequester(t);
    const response = await send(
      guestRequest(`http://127.0.0.1:${server.port}/pot?size=1#top`, 'patch', { 'X-Tea': 'Earl' }),
      Buffer.from('milk'),
    );
    assert.equal(response.status, 418);
    assert.equal(text(response.body), 'short and stout');
    assert.equal(response.headers?.['x-kind'], 'Pot');
    assert.equal(response.headers?.['set-cookie'], 'a=1, b=2');
    const [request] = server.seen;
    assert.equal(request?.method, 'PATCH');
    assert.equal(request?.url, '/pot?size=1');
    assert.equal(request?.headers['x-tea'], 'Earl');
    assert.equal(request?.headers['content-length'], '4');
    assert.deepEqual(server.bodies, ['milk']);
  });

  it('is a GET without a body by default, and takes the old key "header"', async (t) => {
    const server = await startServer(t, (_request, response) => response.end());
    const { send } = createRequester(t);
    const url = `http://127.0.0.1:${server.port}/`;
    const response = await send(Buffer.from(JSON.stringify({ url, header: { 'x-old': '1' } })));
    assert.equal(response.body.length, 0);
    assert.equal(server.seen[0]?.method, 'GET');
    assert.equal(server.seen[0]?.headers['x-old'], '1');
    assert.equal(server.seen[0]?.headers['content-length'], undefined);
    await send(guestRequest(url, 'HEAD'));
    await send(guestRequest(url, 'POST'), new Uint8Array(0));
    assert.equal(server.seen[2]?.headers['content-length'], '0');
  });

  it('reads nothing of Object.prototype in response headers', async (t) => {
    const server = await startServer(t, (_request, response) => {
      response.setHeader('__proto__', 'x').setHeader('constructor', 'y').end();
    });
    const { send } = createRequester(t);
    const { headers } = await send(`http://127.0.0.1:${server.port}/`);
    const names = Object.keys(headers ?? {});
    assert.ok(names.includes('__proto__') && names.includes('constructor'), names.join());
    assert.equal(JSON.parse(JSON.stringify(headers)).constructor, 'y');
  });

  it('cannot set what frames the message or names the host', async (t) => {
    const server = await startServer(t, (_request, response) => response.end());
    const { send } = createRequester(t);
    const headers = {
      Host: 'other.test',
      'Content-Length': '1',
      'Transfer-Encoding': 'chunked',
      Connection: 'close, x-kept',
      Upgrade: 'websocket',
      Expect: '100-continue',
      TE: 'trailers',
      'Proxy-Authorization': 'Basic x',
      'X-Kept': 'yes',
    };
    await send(
      guestRequest(`http://127.0.0.1:${server.port}/`, 'POST', headers),
      Buffer.from('body'),
    );
    const seen = server.seen[0]?.headers ?? {};
    assert.deepEqual(server.bodies, ['body']);
    assert.equal(seen.host, `127.0.0.1:${server.port}`);
    assert.equal(seen['content-length'], '4');
    assert.equal(seen['x-kept'], 'yes');
    for (const name of ['transfer-encoding', 'upgrade', 'expect', 'te', 'proxy-authorization']) {
      assert.equal(seen[name], undefined, name);
    }
    assert.notEqual(seen.connection, 'close, x-kept');
  });

  it('is refused when it is not one, and nothing is sent', async (t) => {
    const server = await startServer(t, (_request, response) => response.end());
    const { send } = createRequester(t);
    const url = `http://127.0.0.1:${server.port}/`;
    for (const request of [
      '',
      '{',
      '[]',
      'null',
      '"http://127.0.0.1/"',
      '{}',
      '{"url": 1}',
      '{"url": "/path"}',
      `{"url": "${url}${'x'.repeat(16_384)}"}`,
      JSON.stringify({ url, method: 'GET / HTTP/1.1\r\nx: y' }),
      JSON.stringify({ url, method: 'CONNECT' }),
      JSON.stringify({ url, method: 'trace' }),
      JSON.stringify({ url, method: 7 }),
      JSON.stringify({ url, headers: ['a'] }),
      JSON.stringify({ url, headers: { a: 'b\r\nc: d' } }),
      JSON.stringify({ url, headers: { a: 'b\nc: d' } }),
      JSON.stringify({ url, headers: { a: 'b\0' } }),
      JSON.stringify({ url, headers: { a: 'Ā\u010d\u010a' } }),
      JSON.stringify({ url, headers: { 'a: b\r\nc': 'd' } }),
      JSON.stringify({ url, headers: { 'a b': 'd' } }),
      JSON.stringify({ url, headers: { '': 'd' } }),
      JSON.stringify({ url, headers: { a: 1 } }),
      JSON.stringify({ url, headers: { a: 'x'.repeat(65_536) } }),
      JSON.stringify({
        url,
        headers: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`h${index}`, ''])),
      }),
    ]) {
      assert.deepEqual(
        await failureOf(send(Buffer.from(request))),
        ['PLUGIN_ERROR', 'request'],
        request.slice(0, 100),
      );
    }
    const latin1 = Buffer.from(JSON.stringify({ url: `${url}é` }), 'latin1');
    assert.deepEqual(await failureOf(send(latin1)), ['PLUGIN_ERROR', 'request']);
    assert.equal(server.seen.length, 0);
  });

  it('is read up to a size, and not at all beyond it', async (t) => {
    const server = await startServer(t, (_request, response) => response.end());
    const { send } = createRequester(t);
    const request = JSON.stringify({ url: `http://127.0.0.1:${server.port}/` });
    assert.equal((await send(Buffer.from(request.padEnd(131_072)))).status, 200);
    assert.deepEqual(await failureOf(send(Buffer.from(request.padEnd(131_073)))), [
      'PLUGIN_ERROR',
      'request',
    ]);
    assert.equal(server.seen.length, 1);
  });

  it('does not name the path or query of a URL, or a header value, in what clients may read', async (t) => {
    const { send } = createRequester(t, { allowedHosts: ['*'] });
    for (const request of [
      guestRequest('http://127.0.0.1:1/hidden?token=hidden'),
      guestRequest('ftp://files.test/hidden'),
      guestRequest('https://hidden:hidden@files.test/'),
      guestRequest('http://files.test/', 'GET', { authorization: 'hidden\n' }),
    ]) {
      await assert.rejects(send(request), (error) => {
        assert.ok(error instanceof ServerError);
        assert.doesNotMatch(error.message, /hidden/);
        return true;
      });
    }
  });
});

describe('the allow-list', () => {
  it('refuses hosts it does not match, before anything is resolved or sent', async (t) => {
    const server = await startServer(t, (_request, response) => response.end());
    const { resolve, asked } = loopbackResolver();
    const { send } = createRequester(t, { allowedHosts: ['*.good.test', 'good.test'], resolve });
    for (const host of ['bad.test', 'good.test.bad.test', 'notgood.test', '127.0.0.1', '[::1]']) {
      assert.deepEqual(
        await failureOf(send(`http://${host}:${server.port}/`)),
        ['PLUGIN_ERROR', 'host'],
        host,
      );
    }
    assert.deepEqual(asked, []);
    assert.equal(server.seen.length, 0);
  });

  it('refuses what is not http, and credentials in URLs', async (t) => {
    const { send } = createRequester(t, { allowedHosts: ['*', 'localhost'] });
    for (const url of ['file:///etc/hostname', 'ftp://a.test/', 'data:,x', 'ws://a.test/']) {
      assert.deepEqual(await failureOf(send(url)), ['PLUGIN_ERROR', 'scheme'], url);
    }
    for (const url of ['http://user@localhost/', 'http://:secret@localhost/']) {
      assert.deepEqual(await failureOf(send(url)), ['PLUGIN_ERROR', 'credentials'], url);
    }
  });

  it('keeps private addresses from a wildcard, however they are written', async (t) => {
    const server = await startServer(t, (_request, response) => response.end());
    const { send } = createRequester(t, { allowedHosts: ['*'] });
    for (const host of [
      '127.0.0.1',
      '0x7f.1',
      '2130706433',
      '0.0.0.0',
      '[::1]',
      '[::]',
      '[::ffff:127.0.0.1]',
      '[64:ff9b::127.0.0.1]',
      '169.254.169.254',
      '10.1.2.3',
    ]) {
      assert.deepEqual(
        await failureOf(send(`http://${host}:${server.port}/`)),
        ['PLUGIN_ERROR', 'address'],
        host,
      );
    }
    assert.equal(server.seen.length, 0);
  });

  it('keeps names that resolve to private addresses from a wildcard', async (t) => {
    const server = await startServer(t, (_request, response) => response.end());
    for (const address of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', 'fd00::1']) {
      const { send } = createRequester(t, {
        allowedHosts: ['*.test'],
        resolve: async () => [{ address, family: address.includes(':') ? 6 : 4 }],
      });
      assert.deepEqual(
        await failureOf(send(`http://rebound.test:${server.port}/`)),
        ['PLUGIN_ERROR', 'address'],
        address,
      );
    }
    assert.equal(server.seen.length, 0);
  });

  it('lets through private addresses of hosts that it names', async (t) => {
    const server = await startServer(t, (_request, response) => response.end('in'));
    const { resolve } = loopbackResolver();
    for (const host of ['internal.test', '127.0.0.1']) {
      const { send } = createRequester(t, { allowedHosts: ['*', host], resolve });
      const response = await send(`http://${host}:${server.port}/`);
      assert.equal(text(response.body), 'in');
    }
  });

  it('connects to the address it looked at, and asks once', async (t) => {
    const server = await startServer(t, (_request, response) => response.end('in'));
    let count = 0;
    const { send } = createRequester(t, {
      allowedHosts: ['internal.test'],
      // A second answer would lead nowhere.
      resolve: async () => [{ address: count++ === 0 ? '127.0.0.1' : '192.0.2.1', family: 4 }],
    });
    assert.equal(text((await send(`http://internal.test:${server.port}/`)).body), 'in');
    assert.equal(count, 1);
  });

  it('leaves the private ones out of several addresses', async (t) => {
    const { send } = createRequester(t, {
      allowedHosts: ['*'],
      resolve: async () => [
        { address: '127.0.0.1', family: 4 },
        { address: '::1', family: 6 },
        { address: '192.168.0.1', family: 4 },
      ],
    });
    assert.deepEqual(await failureOf(send('http://many.test/')), ['PLUGIN_ERROR', 'address']);
  });
});

describe('redirects', () => {
  async function startRedirecting(t: TestContext, locations: Record<string, [number, string]>) {
    const server = await startServer(t, (request, response) => {
      const [status, location] = locations[request.url ?? ''] ?? [200, ''];
      response.writeHead(status, location === '' ? {} : { location });
      response.end(`${request.method} ${request.url}`);
    });
    return server;
  }

  it('are followed, relative ones too, at most five times', async (t) => {
    const chain = Object.fromEntries(
      Array.from({ length: 6 }, (_, index) => [`/${index}`, [302, `/${index + 1}`]]),
    ) as Record<string, [number, string]>;
    const server = await startRedirecting(t, chain);
    const { send } = createRequester(t);
    const url = `http://127.0.0.1:${server.port}`;
    assert.equal(text((await send(`${url}/1`)).body), 'GET /6');
    assert.deepEqual(await failureOf(send(`${url}/0`)), ['PLUGIN_ERROR', 'redirects']);
  });

  it('change the method as browsers do', async (t) => {
    const codes = [301, 302, 303, 307, 308];
    const server = await startRedirecting(
      t,
      Object.fromEntries(codes.map((code) => [`/${code}`, [code, '/to']])),
    );
    const { send } = createRequester(t);
    for (const [method, after] of [
      ['POST', ['GET', 'GET', 'GET', 'POST', 'POST']],
      ['PUT', ['PUT', 'PUT', 'GET', 'PUT', 'PUT']],
      ['GET', ['GET', 'GET', 'GET', 'GET', 'GET']],
    ] as const) {
      for (const [index, code] of codes.entries()) {
        const url = `http://127.0.0.1:${server.port}/${code}`;
        const request = guestRequest(url, method, { 'content-type': 'a/b' });
        const response = await send(request, method === 'GET' ? null : Buffer.from('body'));
        const last = server.seen.at(-1);
        assert.equal(text(response.body), `${after[index]} /to`);
        const keeps = after[index] === method && method !== 'GET';
        assert.equal(server.bodies.at(-1), keeps ? 'body' : '', `${method} ${code}`);
        if (method !== 'GET') {
          assert.equal(last?.headers['content-type'], keeps ? 'a/b' : undefined);
        }
      }
    }
  });

  it('are held against the allow-list at every step', async (t) => {
    const { resolve } = loopbackResolver();
    const target = await startServer(t, (_request, response) => response.end('reached'));
    for (const [location, reason] of [
      [`http://b.test:${target.port}/`, 'host'],
      [`http://127.0.0.1:${target.port}/`, 'host'],
      [`http://rebound.wild.test:${target.port}/`, 'address'],
      [`http://user:secret@a.test:${target.port}/`, 'credentials'],
      ['file:///etc/hostname', 'scheme'],
      ['http://[', 'redirects'],
    ] as const) {
      const server = await startRedirecting(t, { '/1': [302, '/2'], '/2': [307, location] });
      const { send } = createRequester(t, { allowedHosts: ['a.test', '*.wild.test'], resolve });
      assert.deepEqual(
        await failureOf(send(`http://a.test:${server.port}/1`)),
        ['PLUGIN_ERROR', reason],
        location,
      );
      assert.equal(server.seen.length, 2);
    }
    assert.equal(target.seen.length, 0);
  });

  it('to a private address are refused where a wildcard let the first step through', async (t) => {
    const { resolve } = loopbackResolver();
    const server = await startServer(t, (_request, response) => response.end());
    const first = await startRedirecting(t, {
      '/': [302, `http://127.0.0.1:${server.port}/`],
    });
    const { send } = createRequester(t, { allowedHosts: ['*', 'named.test'], resolve });
    assert.deepEqual(await failureOf(send(`http://named.test:${first.port}/`)), [
      'PLUGIN_ERROR',
      'address',
    ]);
    assert.equal(server.seen.length, 0);
  });

  it('take no authorization and no cookies to another origin', async (t) => {
    const { resolve } = loopbackResolver();
    const target = await startServer(t, (_request, response) => response.end());
    const server = await startRedirecting(t, {
      '/same': [302, '/2'],
      '/host': [302, `http://b.test:${target.port}/`],
      '/port': [302, `http://a.test:${target.port}/`],
    });
    const { send } = createRequester(t, { allowedHosts: ['a.test', 'b.test'], resolve });
    const headers = { Authorization: 'Bearer x', Cookie: 'c=1', 'X-Kept': '1' };
    await send(guestRequest(`http://a.test:${server.port}/same`, 'GET', headers));
    assert.equal(server.seen.at(-1)?.headers.authorization, 'Bearer x');
    for (const path of ['/host', '/port']) {
      await send(guestRequest(`http://a.test:${server.port}${path}`, 'GET', headers));
      const seen = target.seen.at(-1)?.headers ?? {};
      assert.equal(seen.authorization, undefined);
      assert.equal(seen.cookie, undefined);
      assert.equal(seen['x-kept'], '1');
    }
  });

  it('without a place to go to are answers', async (t) => {
    const server = await startServer(t, (_request, response) => response.writeHead(302).end('x'));
    const { send } = createRequester(t);
    assert.equal((await send(`http://127.0.0.1:${server.port}/`)).status, 302);
  });
});

describe('bounds', () => {
  it('end a call whose response is too long, announced or not', async (t) => {
    const server = await startServer(t, (request, response) => {
      const length = Number(request.url?.slice(2));
      if (request.url?.startsWith('/a')) response.setHeader('content-length', length);
      const piece = request.url?.startsWith('/t') ? 1 : 100;
      for (let sent = 0; sent < length; sent += piece) {
        response.write('x'.repeat(Math.min(piece, length - sent)));
      }
      response.end();
    });
    const { send } = createRequester(t);
    for (const kind of ['a', 'c', 't']) {
      const url = `http://127.0.0.1:${server.port}/${kind}`;
      assert.equal((await send(`${url}1000`)).body.length, 1_000);
      assert.deepEqual(await failureOf(send(`${url}1001`)), [
        'PLUGIN_LIMIT',
        'memory.maxHttpResponseBytes',
      ]);
      assert.equal((await send(`${url}0`)).body.length, 0);
    }
  });

  it('stop an endless response', async (t) => {
    const port = await startRawServer(t, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const more = (): void => {
        while (!socket.destroyed && socket.write(`4000\r\n${'x'.repeat(0x4000)}\r\n`));
      };
      socket.on('drain', more);
      more();
    });
    const { send } = createRequester(t, { maxHttpResponseBytes: 1_000_000 });
    assert.deepEqual(await failureOf(send(`http://127.0.0.1:${port}/`)), [
      'PLUGIN_LIMIT',
      'memory.maxHttpResponseBytes',
    ]);
  });

  it('take no length from a HEAD response', async (t) => {
    const server = await startServer(t, (_request, response) => {
      response.setHeader('content-length', 5_000).end();
    });
    const { send } = createRequester(t);
    const response = await send(guestRequest(`http://127.0.0.1:${server.port}/`, 'HEAD'));
    assert.equal(response.headers?.['content-length'], '5000');
    assert.equal(response.body.length, 0);
  });

  it('take no length from a response that says its document is as it was', async (t) => {
    const server = await startServer(t, (_request, response) => {
      response.writeHead(304, { 'Content-Length': '1000000' });
      response.end();
    });
    const { send } = createRequester(t);
    const url = `http://127.0.0.1:${server.port}/`;
    const response = await send(guestRequest(url, 'GET', { 'If-None-Match': '"a"' }));
    assert.equal(response.status, 304);
    assert.equal(response.body.length, 0);
  });

  it('end a call whose response has too long a head', async (t) => {
    const server = await startServer(t, (_request, response) => {
      response.setHeader('x-long', 'x'.repeat(40_000)).end();
    });
    const { send } = createRequester(t);
    assert.deepEqual(await failureOf(send(`http://127.0.0.1:${server.port}/`)), [
      'PLUGIN_LIMIT',
      'http.responseHeaderBytes',
    ]);
  });

  it('give up at the deadline, whatever is waited for, and let the server know', async (t) => {
    const silent = await startServer(t, () => {});
    const trickling = await startServer(t, (_request, response) => response.write('first'));
    const looping = await startServer(t, (_request, response) => {
      setTimeout(() => response.writeHead(302, { location: '/' }).end(), 20);
    });
    const { send } = createRequester(t);
    for (const { port } of [silent, trickling, looping]) {
      const failure = failureOf(send(`http://127.0.0.1:${port}/`, null, 50));
      assert.deepEqual(await failure, ['CALL_DEADLINE', 'timeoutMs']);
    }
    for (const { seen } of [silent, trickling]) {
      const [request] = seen;
      assert.ok(request);
      if (!request.socket.destroyed) await once(request.socket, 'close');
    }
    const { send: sendUnresolved } = createRequester(t, {
      allowedHosts: ['slow.test'],
      resolve: () => new Promise(() => {}),
    });
    assert.deepEqual(await failureOf(sendUnresolved('http://slow.test/', null, 50)), [
      'CALL_DEADLINE',
      'timeoutMs',
    ]);
  });

  it('start nothing when no time is left', async (t) => {
    const server = await startServer(t, (_request, response) => response.end());
    const { send } = createRequester(t);
    for (const remainingMs of [0, -1, Number.NaN]) {
      const failure = failureOf(send(`http://127.0.0.1:${server.port}/`, null, remainingMs));
      assert.deepEqual(await failure, ['CALL_DEADLINE', 'timeoutMs']);
    }
    const infinite = send(`http://127.0.0.1:${server.port}/`, null, Number.POSITIVE_INFINITY);
    assert.equal((await infinite).status, 200);
    assert.equal(server.seen.length, 1);
  });
});

describe('connections', () => {
  it('are kept, and one that went stale is no failure of a request that may be repeated', async (t) => {
    const paths: string[] = [];
    const port = await startRawServer(t, (socket, count) => {
      socket.on('data', (bytes) => {
        const [method, path] = bytes.toString().split(' ');
        paths.push(`${count} ${method} ${path}`);
        // The second request on a connection finds it closing.
        if (path === '/stale' && count === 1) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const { send } = createRequester(t);
    const url = `http://127.0.0.1:${port}`;
    await send(`${url}/first`);
    assert.equal(text((await send(`${url}/stale`)).body), 'ok');
    assert.deepEqual(paths, ['1 GET /first', '1 GET /stale', '2 GET /stale']);
  });

  it('are kept for a bounded number of hosts', async (t) => {
    let open = 0;
    let most = 0;
    const port = await startRawServer(t, (socket) => {
      most = Math.max(most, ++open);
      socket.on('close', () => open--);
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    });
    const hosts = Array.from({ length: 100 }, (_, index) => `host-${index}.test`);
    const { resolve } = loopbackResolver();
    const { send } = createRequester(t, { allowedHosts: hosts, resolve });
    for (const host of hosts) await send(`http://${host}:${port}/`);
    // 32, and those whose end the server has not yet seen.
    assert.ok(most < 50, `${most} connections at once`);
  });

  it('that went stale fail a request that may have been carried out', async (t) => {
    const paths: string[] = [];
    const port = await startRawServer(t, (socket) => {
      let requests = 0;
      socket.on('data', (bytes) => {
        paths.push(bytes.toString().split(' ')[0] ?? '');
        if (++requests > 1) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const { send } = createRequester(t);
    const request = guestRequest(`http://127.0.0.1:${port}/`, 'POST');
    await send(request);
    assert.deepEqual(await failureOf(send(request)), ['PLUGIN_ERROR', 'network']);
    assert.deepEqual(paths, ['POST', 'POST']);
  });

  it('that fail end the call with the system’s code', async (t) => {
    const port = await startRawServer(t, (socket, count) => {
      socket.on('data', () => {
        if (count === 1) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort');
        else if (count === 2) socket.end('SSH-2.0-x\r\n');
        else if (count === 3) {
          socket.end(
            'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
          );
        } else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy');
      });
    });
    const { send } = createRequester(t, {
      allowedHosts: ['127.0.0.1', 'nowhere.test'],
      resolve: async () => {
        throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
      },
    });
    for (let count = 1; count <= 4; count++) {
      assert.deepEqual(
        await failureOf(send(`http://127.0.0.1:${port}/`)),
        ['PLUGIN_ERROR', 'network'],
        `answer ${count}`,
      );
    }
    assert.deepEqual(await failureOf(send(`https://127.0.0.1:${port}/`)), [
      'PLUGIN_ERROR',
      'network',
    ]);
    await assert.rejects(send('http://nowhere.test/'), (error) => {
      assert.deepEqual((error as ServerError).details, {
        reason: 'network',
        systemCode: 'ENOTFOUND',
      });
      return true;
    });
  });

  it('are cut by close, which also refuses what comes later', async (t) => {
    const server = await startServer(t, () => {});
    const { send, requester } = createRequester(t);
    const url = `http://127.0.0.1:${server.port}/`;
    const running = failureOf(send(url));
    while (server.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    requester.close();
    assert.deepEqual(await running, ['PLUGIN_ERROR', 'closed']);
    assert.deepEqual(await failureOf(send(url)), ['PLUGIN_ERROR', 'closed']);
    requester.close();
  });
});
