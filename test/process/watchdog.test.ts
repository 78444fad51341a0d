/** A worker that hangs is named, killed and replaced; nothing outlives a killed primary. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, describe, it } from 'node:test';
import {
  readMetrics,
  readWorkers,
  replacedAfterMs,
  waitForReady,
} from '../helpers/cluster-status.ts';
import { HANGING, writeHangingConfig } from '../helpers/hanging-plugin.ts';
import { startLoad } from '../helpers/load-client.ts';
import { IS_LONG } from '../helpers/long-form.ts';
import {
  createPm2Home,
  freePort,
  isAlive,
  type Pm2Home,
  writeEcosystem,
} from '../helpers/pm2-process.ts';
import { type ServerProcess, startServer } from '../helpers/server-process.ts';
import { waitFor } from '../helpers/wait-for.ts';

const LIMIT_MS = 2000;
/** Beyond the limit until the slot is served again; the short form allows for a busy machine. */
const REPLACED_MS = IS_LONG ? 1000 : 10_000;
/** pm2 pauses 200 ms and more before it starts a worker again. */
const REPLACED_PM2_MS = IS_LONG ? 3000 : 10_000;
const GONE_MS = 3000;

const servers: ServerProcess[] = [];

async function startHanging(workers: number, watchdogMs = LIMIT_MS): Promise<ServerProcess> {
  const args = ['--config', await writeHangingConfig(watchdogMs), '--workers', String(workers)];
  const server = await startServer({ args });
  servers.push(server);
  return server;
}

// What a failed test left behind would keep this process.
after(() => {
  for (const { child } of servers) child.kill('SIGKILL');
});

/** One scrape, which is lost when the hung worker is handed its connection. */
async function tryScrape(adminUrl: string): Promise<'answered' | 'lost'> {
  try {
    const reply = await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(1500) });
    assert.match(await reply.text(), /^plugind_worker_up\{worker="\d"\} 1$/m);
    return 'answered';
  } catch {
    return 'lost';
  }
}

/** Sends the request that never ends; resolves when its connection is cut. */
function hang(port: number): Promise<void> {
  return new Promise((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port, path: '/hang', method: 'POST' });
    outgoing.on('error', () => {});
    outgoing.on('close', resolve);
    outgoing.end('x');
  });
}

async function assertAllGone(pids: readonly number[]): Promise<void> {
  await waitFor('every process to be gone', () => !pids.some(isAlive), GONE_MS);
}

describe('a worker that hangs', () => {
  it('is named, killed and replaced, and scrapes go on meanwhile', async (t) => {
    const server = await startHanging(2);
    const before = await readWorkers(server.adminUrl);
    const startedAt = Date.now();
    let isCut = false;
    const cut = hang(server.port).then(() => {
      isCut = true;
    });
    const scrapes = { answered: 0, lost: 0 };
    while (!isCut) scrapes[await tryScrape(server.adminUrl)]++;
    await cut;
    const after = await waitForReady(server.adminUrl, 2);
    assert.ok(scrapes.answered > 0);
    // The hung worker is handed one connection, and another before that may be waiting in it.
    assert.ok(scrapes.lost <= 2, `${scrapes.lost} scrapes lost`);
    const dead = before.find(({ pid }) => !after.some((worker) => worker.pid === pid));
    const tookMs = await replacedAfterMs(() => server.output.stdout, dead, startedAt);
    const line = server.output.stderr.split('\n').find((text) => text.includes('"level":60'));
    const words = JSON.parse(line ?? '{}') as Record<string, unknown>;
    t.diagnostic(`killed after ${Date.parse(String(words.time)) - startedAt} ms`);
    assert.equal(words.plugin, HANGING.plugin);
    assert.equal(words.function, HANGING.function);
    assert.equal(words.worker, dead?.slot);
    assert.equal(words.pid, dead?.pid);
    const counted = new RegExp(`^plugind_worker_hangs_total\\{worker="${dead?.slot}"\\} 1$`, 'm');
    assert.match(await readMetrics(server.adminUrl), counted);
    t.diagnostic(`hung worker replaced after ${Math.round(tookMs)} ms`);
    assert.ok(tookMs <= LIMIT_MS + REPLACED_MS, `replaced after ${tookMs} ms`);
    assert.equal(await server.stop(), 0);
  });

  it('is killed again when its successor hangs, and counted again', async () => {
    const server = await startHanging(1, 1100);
    for (const hangs of [1, 2]) {
      await hang(server.port);
      await waitForReady(server.adminUrl, 1);
      assert.match(
        await readMetrics(server.adminUrl),
        new RegExp(`^plugind_worker_hangs_total\\{worker="0"\\} ${hangs}$`, 'm'),
      );
    }
    assert.equal(await server.stop(), 0);
  });

  it('is left alone where it was stopped from outside and goes on', async () => {
    const server = await startHanging(1, 1100);
    const [worker] = await readWorkers(server.adminUrl);
    assert.ok(worker);
    process.kill(worker.pid, 'SIGSTOP');
    // What is waited for is the time itself: longer than the limit.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    process.kill(worker.pid, 'SIGCONT');
    assert.deepEqual(
      (await waitForReady(server.adminUrl, 1)).map(({ pid }) => pid),
      [worker.pid],
    );
    assert.doesNotMatch(server.output.stderr, /"level":60/);
    assert.equal(await server.stop(), 0);
  });

  it('is left alone while a debugger could be attached, also when that came later', async () => {
    const server = await startHanging(1, 1100);
    const [worker] = await readWorkers(server.adminUrl);
    assert.ok(worker);
    process.kill(worker.pid, 'SIGUSR1');
    await waitFor('the debugger to listen', () => /Debugger listening/.test(server.output.stderr));
    // Told to the watchdog with the next beat, a tenth of a second later.
    await new Promise((resolve) => setTimeout(resolve, 300));
    void hang(server.port);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.equal(isAlive(worker.pid), true);
    assert.doesNotMatch(server.output.stderr, /"level":60/);
    server.child.kill('SIGKILL');
    await assertAllGone([worker.pid]);
  });
});

describe('a primary that is killed', () => {
  it('takes its workers along, one that hangs too', async () => {
    const server = await startHanging(2, 60_000);
    const workers = await readWorkers(server.adminUrl);
    void hang(server.port);
    await waitFor('one worker to hang', async () =>
      (await readWorkers(server.adminUrl)).some(({ state }) => state === 'silent'),
    );
    server.child.kill('SIGKILL');
    await assertAllGone(workers.map(({ pid }) => pid));
  });

  it('takes its workers along under load', async () => {
    const server = await startHanging(2);
    const workers = await readWorkers(server.adminUrl);
    const load = startLoad({ port: server.port, connections: 8, hungMs: 1000 });
    await load.sent(100);
    server.child.kill('SIGKILL');
    await assertAllGone(workers.map(({ pid }) => pid));
    await load.stop();
  });
});

describe('under pm2 a worker that hangs', () => {
  async function start(pm2: Pm2Home, watchdogMs: number): Promise<{ port: number; url: string }> {
    const port = await freePort();
    const adminPort = await freePort();
    const args = ['--config', await writeHangingConfig(watchdogMs)];
    args.push('--port', String(port), '--admin-port', String(adminPort));
    const started = await pm2.run(['start', writeEcosystem({ instances: 2, args })]);
    assert.equal(started.code, 0, started.output);
    const url = `http://127.0.0.1:${adminPort}`;
    await waitForReady(url, 2);
    return { port, url };
  }

  it('is named in the error log of the app, killed, replaced and counted', async (t) => {
    const pm2 = createPm2Home();
    try {
      const { port, url } = await start(pm2, LIMIT_MS);
      const before = await readWorkers(url);
      const startedAt = Date.now();
      await hang(port);
      const after = await waitForReady(url, 2);
      const dead = before.find(({ pid }) => !after.some((worker) => worker.pid === pid));
      const tookMs = await replacedAfterMs(() => pm2.logs(), dead, startedAt);
      assert.match(
        pm2.logs(),
        /"plugin":"hanging","function":"hang".*the worker hangs in hanging\.hang/,
      );
      assert.match(await readMetrics(url), /^plugind_worker_hangs_total\{worker="\d"\} 1$/m);
      assert.match(await readMetrics(url), /^plugind_workers_expected 2$/m);
      assert.ok(tookMs <= LIMIT_MS + REPLACED_PM2_MS, `replaced after ${tookMs} ms`);
      t.diagnostic(`hung worker replaced after ${Math.round(tookMs)} ms under pm2`);
    } finally {
      await pm2.close();
    }
  });

  it("does not outlive pm2's daemon when that is killed", async () => {
    const pm2 = createPm2Home();
    try {
      const { port, url } = await start(pm2, 60_000);
      const workers = await readWorkers(url);
      void hang(port);
      await waitFor('one worker to hang', async () =>
        (await readWorkers(url)).some(({ state }) => state === 'silent'),
      );
      process.kill(pm2.daemonPid() as number, 'SIGKILL');
      await assertAllGone(workers.map(({ pid }) => pid));
    } finally {
      await pm2.close();
    }
  });
});
