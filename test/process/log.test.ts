/** A log that cannot be written costs lines, never a worker, a request or the end of a drain. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { readMetrics, readWorkers, waitForReady } from '../helpers/cluster-status.ts';
import { startLoad } from '../helpers/load-client.ts';
import { shortOrLong } from '../helpers/long-form.ts';
import { createPm2Home, freePort, isAlive, writeEcosystem } from '../helpers/pm2-process.ts';
import { CLI_FILE, cleanEnvironment } from '../helpers/server-process.ts';
import { waitFor } from '../helpers/wait-for.ts';

const REQUESTS = shortOrLong(300, 20_000);
/** Of a drain without a request in flight: linger, one grace of keep-alive, and a busy machine. */
const STOP_MS = 12_000;

interface Server {
  readonly port: number;
  readonly adminUrl: string;
  /** Asks it to leave; resolves to the exit code. */
  stop(): Promise<number | null>;
}

/** Where the test reads standard output; null where it is no pipe. */
interface OwnServer extends Server {
  readonly stdout: Readable | null;
}

const children: ChildProcess[] = [];
const dir = mkdtempSync(path.join(os.tmpdir(), 'plugind-log-'));

// What a failed test left behind would keep this process.
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

/** `plugind serve` with a standard output (and error) of the test's making. */
async function serve(stdout: number | 'pipe', stderr: number | 'ignore'): Promise<OwnServer> {
  const port = await freePort();
  const adminPort = await freePort();
  const args = ['serve', '--workers', '2', '--port', `${port}`, '--admin-port', `${adminPort}`];
  const child = spawn(process.execPath, [CLI_FILE, ...args], {
    env: cleanEnvironment(),
    stdio: ['ignore', stdout, stderr],
  });
  children.push(child);
  const exited = once(child, 'exit');
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  await waitForReady(adminUrl, 2);
  return {
    port,
    adminUrl,
    stdout: child.stdout,
    stop: async () => {
      child.kill('SIGTERM');
      return ((await exited) as [number | null])[0];
    },
  };
}

/** Fills a dead worker's slot, serves under load and leaves in time, whatever became of the lines. */
async function assertUnharmed(server: Server, dropped: RegExp): Promise<void> {
  const [victim] = await readWorkers(server.adminUrl);
  process.kill(victim?.pid as number, 'SIGKILL');
  const workers = await waitFor('the killed worker to be replaced', async () => {
    const now = await waitForReady(server.adminUrl, 2);
    return now.every(({ pid }) => pid !== victim?.pid) && now;
  });
  const load = startLoad({ port: server.port, connections: 8 });
  await load.sent(REQUESTS);
  const { failed, wrong, reasons } = await load.stop();
  assert.deepEqual({ failed, wrong }, { failed: 0, wrong: 0 }, JSON.stringify(reasons));
  assert.match(await readMetrics(server.adminUrl), dropped);
  assert.deepEqual(await readWorkers(server.adminUrl).then(pids), pids(workers));
  const startedAt = performance.now();
  assert.equal(await server.stop(), 0);
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs < STOP_MS, `left after ${tookMs} ms`);
  assert.deepEqual(pids(workers).filter(isAlive), []);
}

function pids(workers: readonly { pid: number }[]): number[] {
  return workers.map(({ pid }) => pid).sort();
}

const SOME_DROPPED = /^plugind_log_dropped_total\{worker="\d"\} [1-9]/m;

describe('a log that cannot be written', () => {
  it('is on a full disk: serving goes on and the end comes in time', {
    skip: process.platform !== 'linux' && 'there is no /dev/full',
  }, async () => {
    const full = openSync('/dev/full', 'w');
    const server = await serve(full, full);
    closeSync(full);
    await assertUnharmed(server, SOME_DROPPED);
  });

  it('is a closed pipe: serving goes on and the end comes in time', async () => {
    const server = await serve('pipe', 'ignore');
    server.stdout?.destroy();
    await assertUnharmed(server, SOME_DROPPED);
  });

  it('is a pipe whose reader stands still: serving goes on and the end comes in time', {
    skip: process.platform !== 'linux' && 'a pipe is opened for reading and writing',
  }, async () => {
    const pipe = openFullPipe();
    const server = await serve(pipe.descriptor, pipe.descriptor);
    await assertUnharmed(server, /plugind_log_dropped_total/);
    pipe.close();
  });
});

/** A pipe that takes no byte more, to write to; whoever writes waits, unless it does not block. */
function openFullPipe(): { descriptor: number; close(): void } {
  const file = path.join(dir, 'pipe');
  spawnSync('mkfifo', [file]);
  const filler = openSync(file, constants.O_RDWR | constants.O_NONBLOCK);
  const page = Buffer.alloc(4096, '\n');
  try {
    for (let written = 0; written < 1024; written++) writeSync(filler, page);
  } catch {
    // Full.
  }
  const descriptor = openSync(file, 'w');
  return {
    descriptor,
    close: () => {
      closeSync(descriptor);
      closeSync(filler);
    },
  };
}

describe('a log that can be written', () => {
  it('has every state of every worker, to the last, in a file', async () => {
    const file = path.join(dir, 'plugind.log');
    const descriptor = openSync(file, 'a');
    const server = await serve(descriptor, 'ignore');
    closeSync(descriptor);
    assert.match(
      await readMetrics(server.adminUrl),
      /^plugind_log_dropped_total\{worker="0"\} 0$/m,
    );
    assert.equal(await server.stop(), 0);
    assertAllStates(readFileSync(file, 'utf8'));
  });

  it('has every state of every worker, to the last, in a pipe', async () => {
    const server = await serve('pipe', 'ignore');
    let text = '';
    server.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    assert.equal(await server.stop(), 0);
    await waitFor('the last lines', () => text.match(/"state":"closed"/g)?.length === 2);
    assertAllStates(text);
  });
});

function assertAllStates(text: string): void {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { worker?: string; state?: string });
  for (const worker of ['0', '1']) {
    const states = lines.filter((line) => line.worker === worker && line.state !== undefined);
    assert.deepEqual(
      states.map(({ state }) => state),
      ['ready', 'draining', 'closed'],
    );
  }
}

describe('under pm2', () => {
  async function startPm2(
    changes: Readonly<Record<string, unknown>>,
  ): Promise<Server & { logs(): string; close(): Promise<void> }> {
    const pm2 = createPm2Home();
    const port = await freePort();
    const adminPort = await freePort();
    const args = ['--port', String(port), '--admin-port', String(adminPort)];
    const started = await pm2.run(['start', writeEcosystem({ instances: 2, args, ...changes })]);
    assert.equal(started.code, 0, started.output);
    const adminUrl = `http://127.0.0.1:${adminPort}`;
    await waitForReady(adminUrl, 2);
    return {
      port,
      adminUrl,
      logs: pm2.logs,
      close: pm2.close,
      stop: async () => (await pm2.run(['stop', 'plugind'])).code,
    };
  }

  it("reaches the app's log files, to the last line", async () => {
    const server = await startPm2({});
    try {
      assert.equal(await server.stop(), 0);
      await waitFor('the last lines', () => server.logs().match(/"state":"closed"/g)?.length === 2);
    } finally {
      await server.close();
    }
  });

  it('goes to a full disk: serving goes on and the end comes in time', {
    skip: process.platform !== 'linux' && 'there is no /dev/full',
  }, async () => {
    const server = await startPm2({ out_file: '/dev/full', error_file: '/dev/full' });
    try {
      await assertUnharmed(server, SOME_DROPPED);
    } finally {
      await server.close();
    }
  });
});
