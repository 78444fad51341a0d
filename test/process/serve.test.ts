import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { fetchSoon } from '../helpers/fetch-soon.ts';
import { exampleWasm } from '../helpers/paths.ts';
import { isAlive } from '../helpers/pm2-process.ts';
import { unlessInstalled } from '../helpers/programs.ts';
import { type ServerProcess, spawnCli, startServer } from '../helpers/server-process.ts';
import { waitFor } from '../helpers/wait-for.ts';

const run = promisify(execFile);

interface Status {
  workers: { slot: string; pid: number; state: string; plugins: { hash: string }[] }[];
}

async function status(server: ServerProcess): Promise<Status> {
  return (await (await fetchSoon(`${server.adminUrl}/status`)).json()) as Status;
}

describe('plugind serve', () => {
  let server: ServerProcess;
  before(async () => {
    server = await startServer({ args: ['--workers', '2'] });
  });
  after(async () => {
    await server.stop();
  });

  it('answers the request of the article exactly', async () => {
    const reply = await fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: '😄 Bob Morane',
    });
    assert.equal(reply.status, 200);
    assert.equal(await reply.text(), '{"message":"🦀 Hello 😄 Bob Morane"}');
    assert.equal(reply.headers.get('content-type'), 'application/json');
  });

  it('names its URLs, its workers and the plugin with its hash', async () => {
    assert.match(server.output.stderr, /with 2 workers/);
    const { workers } = await status(server);
    const hash = workers[0]?.plugins[0]?.hash ?? 'none';
    assert.match(server.output.stderr, new RegExp(`plugin hello\\s+sha256 ${hash.slice(0, 12)}`));
    assert.match(server.output.stderr, /\/metrics\n/);
  });

  for (const connections of ['1', '100']) {
    it(`answers the article's load of 300 requests over ${connections} connections`, {
      skip: unlessInstalled('hey'),
    }, async () => {
      const args = ['-n', '300', '-c', connections, '-m', 'POST', '-d', 'John Doe', server.url];
      const { stdout } = await run('hey', args);
      assert.match(stdout, /\[200\]\s+300 responses/);
    });
  }

  it('spreads 100 connections over all workers', async () => {
    const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
    for (const worker of ['0', '1']) {
      const counter = new RegExp(
        `plugind_plugin_calls_total\\{(?=[^}]*worker="${worker}")(?=[^}]*outcome="ok")[^}]*\\} (\\d+)`,
      );
      assert.ok(Number(counter.exec(text)?.[1]) > 0, `worker ${worker} served none`);
    }
  });

  it('starts a killed worker again in its slot', async () => {
    const victim = (await status(server)).workers[0];
    assert.ok(victim);
    process.kill(victim.pid, 'SIGKILL');
    const replaced = await waitFor('the slot to be ready again', async () => {
      const { workers } = await status(server);
      return workers.find(
        ({ slot, pid, state }) => slot === victim.slot && pid !== victim.pid && state === 'ready',
      );
    });
    assert.notEqual(replaced.pid, victim.pid);
    assert.equal((await fetch(server.url, { method: 'POST', body: 'x' })).status, 200);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`stops every worker and exits 0 on ${signal}`, async () => {
      const other = await startServer({ args: ['--workers', '2'] });
      const { workers } = await status(other);
      const closed = new Promise((resolve) => other.child.once('close', resolve));
      other.child.kill(signal);
      assert.equal(await closed, 0);
      for (const { pid } of workers) assert.equal(isAlive(pid), false);
    });
  }
});

// Seen failing with the run directory left as it was.
it('begins with a run directory in which no killed primary has left anything', async () => {
  const runDir = mkdtempSync(path.join(os.tmpdir(), 'run-'));
  for (const name of ['hangs-w0.json', 'slot-5.json', 'notes.txt']) {
    writeFileSync(path.join(runDir, name), '{}');
  }
  try {
    const env = { PLUGIND_RUN_DIR: runDir };
    const server = await startServer({ args: ['--workers', '1'], env });
    const names = readdirSync(runDir);
    assert.equal(await server.stop(), 0);
    assert.deepEqual(
      names.filter((name) => /^(hangs|notes|slot-5)/.test(name)),
      ['notes.txt'],
    );
    assert.deepEqual(readdirSync(runDir), ['notes.txt']);
  } finally {
    rmSync(runDir, { recursive: true });
  }
});

describe('a mistake of the operator', () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'plugind-test-'));
  after(() => rmSync(dir, { recursive: true }));
  const hello = exampleWasm('hello');
  const notWasm = path.join(dir, 'not.wasm');
  writeFileSync(notWasm, 'not wasm');
  const unknownKey = path.join(dir, 'unknown.json');
  writeFileSync(
    unknownKey,
    JSON.stringify({ plugins: { a: { wasm: hello, que: 1 } }, routes: [] }),
  );

  const mistakes: [name: string, args: string[], text: RegExp][] = [
    [
      'a file that is not there',
      [path.join(dir, 'none.wasm'), 'hello'],
      /none\.wasm: no such file/,
    ],
    ['a file that is not wasm', [notWasm, 'hello'], /not a WebAssembly module/],
    ['a function that is not exported', [hello, 'helo'], /no function "helo".*there are: .*hello/],
    ['an unknown flag', ['--prot', '1'], /--prot/],
    ['an unknown key of the file, with its path', ['--config', unknownKey], /plugins\.a\.que/],
    ['a port that is no number', ['--port', 'x'], /port/],
  ];
  for (const [name, args, text] of mistakes) {
    it(`is one clear line and exit code 2: ${name}`, async () => {
      const { output, exited } = spawnCli({ args: ['serve', ...args] });
      assert.equal(await exited, 2);
      assert.match(output.stderr, text);
      assert.doesNotMatch(output.stderr, /\n\s+at /);
      assert.equal(output.stdout, '');
    });
  }

  it('is one clear line and exit code 2: a port that is taken', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as { port: number };
    const { output, exited } = spawnCli({ args: ['serve', '--port', String(port)] });
    assert.equal(await exited, 2);
    assert.match(output.stderr, new RegExp(`port ${port} is taken`));
    assert.equal(output.stderr.trim().split('\n').length, 1);
    holder.close();
  });
});

describe('plugind check', () => {
  it('prints routes and limits and exits 0', async () => {
    const { output, exited } = spawnCli({ args: ['check'] });
    assert.equal(await exited, 0, output.stderr);
    assert.match(output.stdout, /POST \/ -> hello\.hello/);
    assert.match(output.stdout, /sha256 [0-9a-f]{64}/);
  });

  it('exits 2 for what serve would refuse', async () => {
    const { output, exited } = spawnCli({ args: ['check', exampleWasm('hello'), 'none'] });
    assert.equal(await exited, 2);
    assert.match(output.stderr, /there are: /);
  });

  for (const [flag, text] of [
    ['--help', /plugind serve/],
    ['--version', /^\d+\.\d+\.\d+/],
  ] as const) {
    it(`answers ${flag}`, async () => {
      const { output, exited } = spawnCli({ args: [flag] });
      assert.equal(await exited, 0);
      assert.match(output.stdout, text);
    });
  }
});
