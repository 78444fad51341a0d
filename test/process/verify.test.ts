/**
 * `plugind verify` against a server that mixes up its answers, one that is ours, and those that it
 * cannot judge.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import createPlugin from '@extism/extism';
import { exampleWasm } from '../helpers/paths.ts';
import { spawnCli, startServer } from '../helpers/server-process.ts';
import { writeConfig } from '../helpers/write-config.ts';

/** Enough for what needs one batch in a turn. */
const REQUESTS = ['--requests', '2000'];

interface Verified {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function verify(...args: string[]): Promise<Verified> {
  const { output, exited } = spawnCli({ args: ['verify', ...args] });
  return { code: await exited, ...output };
}

async function listen(
  t: { after(end: () => void): void },
  listener: RequestListener,
): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/**
 * One plugin of the SDK without a lock. Behind the gate requests wait for the next turn of the event loop
 * and are let through together, as they are behind any look-up; without it each is called as it comes.
 */
async function startUnlocked(
  t: { after(end: () => unknown): void },
  { hasGate }: { hasGate: boolean },
): Promise<string> {
  const data = new Uint8Array(readFileSync(exampleWasm('echo')));
  const plugin = await createPlugin({ wasm: [{ data }] }, {});
  t.after(() => plugin.close());
  let gate: Promise<void> | null = null;
  const passGate = (): Promise<void> => {
    gate ??= new Promise((resolve) => {
      setImmediate(() => {
        gate = null;
        resolve();
      });
    });
    return gate;
  };
  return listen(t, async (request, response) => {
    const chunks: Buffer[] = [];
    if (request.method === 'POST') for await (const chunk of request) chunks.push(chunk as Buffer);
    else
      chunks.push(Buffer.from(new URL(request.url ?? '', 'http://h').searchParams.get('id') ?? ''));
    if (hasGate) await passGate();
    const output = await plugin.call('echo', new Uint8Array(Buffer.concat(chunks)));
    response.end(output?.bytes());
  });
}

describe('plugind verify', () => {
  it('finds the cross-talk of a plugin that is shared without a lock', async (t) => {
    const { code, stdout } = await verify(await startUnlocked(t, { hasGate: true }), ...REQUESTS);
    assert.equal(code, 1, stdout);
    for (const method of ['POST', 'GET']) {
      const [, wrong] = new RegExp(`^${method} +right \\d+ +wrong (\\d+)`, 'm').exec(stdout) ?? [];
      assert.ok(Number(wrong) > 0, stdout);
    }
  });

  it('finds it by requests without a body where those with one do not show it', async (t) => {
    const url = await startUnlocked(t, { hasGate: false });
    const { code, stdout } = await verify(url, ...REQUESTS, '--method', 'GET');
    assert.equal(code, 1, stdout);
  });

  it('finds none in ours, with a body and without one', async (t) => {
    const config = {
      plugins: {
        hello: { wasm: exampleWasm('hello'), queue: { max: 5000 } },
        envelope: { wasm: exampleWasm('envelope'), queue: { max: 5000 } },
      },
      routes: [
        { path: '/', plugin: 'hello', function: 'hello' },
        {
          method: 'GET',
          path: '/hello/:name',
          plugin: 'envelope',
          function: 'handle',
          mode: 'http',
        },
      ],
    };
    const args = ['--config', writeConfig(config), '--workers', '2'];
    const server = await startServer({ args });
    t.after(() => server.stop());
    const posted = await verify(server.url, ...REQUESTS, '--method', 'POST');
    assert.equal(posted.code, 0, posted.stdout);
    assert.match(posted.stdout, /right 2000 +wrong 0 +refused 0 +failed 0/);
    const got = await verify(`${server.url}/hello/{id}`, ...REQUESTS, '--method', 'GET');
    assert.equal(got.code, 0, got.stdout + got.stderr);
    assert.match(got.stdout, /right 2000 +wrong 0 +refused 0 +failed 0/);
  });

  it('judges the method that reflects its input, and says which does not', async (t) => {
    const url = await listen(t, async (request, response) => {
      if (request.method === 'GET') response.writeHead(404).end();
      else request.pipe(response);
    });
    const { code, stdout } = await verify(url, '--requests', '100', '--connections', '3');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^POST +right 100 /m);
    assert.match(stdout, /^GET +not judged/m);
  });

  it('cannot judge answers that hold nothing of what was sent', async (t) => {
    const url = await listen(t, (_request, response) => void response.end('{"count":3}'));
    const { code, stderr } = await verify(url);
    assert.equal(code, 2, stderr);
    assert.ok(stderr.includes('cannot be judged'), stderr);
  });

  it('takes an answer without its id for wrong where others hold theirs', async (t) => {
    let count = 0;
    const url = await listen(t, (request, response) => {
      if (++count % 50 === 0) response.end();
      else request.pipe(response);
    });
    const { code, stdout } = await verify(url, '--requests', '200', '--method', 'POST');
    assert.equal(code, 1, stdout);
  });

  it('goes on when connections break, and says so', async (t) => {
    let count = 0;
    const url = await listen(t, (request, response) => {
      if (++count % 50 === 0) request.socket.destroy();
      else request.pipe(response);
    });
    const { code, stdout } = await verify(url, '--requests', '500', '--method', 'POST');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /failed [1-9]\d* \(\w+ x \d+/);
  });

  for (const [what, url] of [
    ['a server that is not there', 'http://127.0.0.1:1/'],
    ['https', 'https://127.0.0.1:1/'],
    ['no URL', 'nonsense'],
  ] as const) {
    it(`refuses ${what} with one line`, async () => {
      const { code, stdout, stderr } = await verify(url);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
    });
  }
});
