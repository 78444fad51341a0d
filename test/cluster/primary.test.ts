/** Our own primary as a real process, with real workers that die, refuse to leave or are mistaken. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import { isAlive } from '../helpers/pm2-process.ts';
import { cleanEnvironment } from '../helpers/server-process.ts';
import { waitFor } from '../helpers/wait-for.ts';

const FILE = path.join(import.meta.dirname, 'fixtures/played-primary.ts');

interface Line {
  readonly msg: string;
  readonly workerPid?: number;
  readonly slot?: number;
  readonly pauseMs?: number;
  readonly code?: number | null;
  readonly signal?: string | null;
  readonly forced?: boolean;
}

interface Played {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  lines(msg: string): Line[];
  /** Everything written so far. */
  log(): string;
}

describe('the primary', () => {
  let played: Played | null = null;
  const runDir = mkdtempSync(path.join(os.tmpdir(), 'played-primary-'));
  after(() => rmSync(runDir, { recursive: true }));

  function start(behaviour: string, { workers = 2, drainMs = 120_000 } = {}): Played {
    const child = spawn(process.execPath, ['--import', 'tsx', FILE], {
      env: {
        ...cleanEnvironment(),
        BEHAVIOUR: behaviour,
        RUN_DIR: runDir,
        WORKERS: String(workers),
        DRAIN_MS: String(drainMs),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    played = {
      child,
      exited: once(child, 'close').then(([code]) => code as number | null),
      lines: (msg) =>
        stdout
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as Line)
          .filter((line) => line.msg === msg),
      log: () => stdout + stderr,
    };
    return played;
  }

  /** Waits until every worker is ready. */
  async function startReady(behaviour: string, options = {}): Promise<Played> {
    const primary = start(behaviour, options);
    await waitFor('the workers', () => {
      if (primary.child.exitCode !== null) throw new Error(primary.log());
      return primary.lines('all ready').length === 1;
    });
    return primary;
  }

  afterEach(async () => {
    if (played?.child.exitCode === null) played.child.kill('SIGKILL');
    await played?.exited;
    played = null;
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`asks every worker to leave on ${signal} and exits 0 behind the last`, async () => {
      const primary = await startReady('good');
      primary.child.kill(signal);
      assert.equal(await primary.exited, 0, primary.log());
      const stopped = primary.lines('worker stopped');
      assert.deepEqual(
        stopped.map(({ code }) => code),
        [0, 0],
      );
      for (const { workerPid } of stopped) assert.equal(isAlive(workerPid ?? 0), false);
    });
  }

  it('restarts workers that die at start after growing pauses, each slot by itself', async () => {
    const primary = start('dies');
    const pausesOf = (slot: number): unknown[] =>
      primary
        .lines('worker died, restarting')
        .filter((line) => line.slot === slot)
        .map(({ pauseMs }) => pauseMs);
    await waitFor('three deaths of each', () => pausesOf(0).length >= 3 && pausesOf(1).length >= 3);
    for (const slot of [0, 1]) assert.deepEqual(pausesOf(slot).slice(0, 3), [500, 1000, 2000]);
    assert.equal(primary.lines('all ready').length, 0);
    primary.child.kill('SIGTERM');
    assert.equal(await primary.exited, 0, primary.log());
  });

  for (const behaviour of ['mistake', 'one-mistake']) {
    it(`ends with 2 when a worker says that the operator is mistaken: ${behaviour}`, async () => {
      const primary = start(behaviour);
      assert.equal(await primary.exited, 2, primary.log());
      assert.ok(primary.lines('worker runs').length <= 2, 'it was restarted');
    });
  }

  it('does not wait for workers that have not come so far as to listen to it', async () => {
    const primary = start('slow-start');
    await waitFor('the workers to run', () => primary.lines('worker runs').length === 2);
    primary.child.kill('SIGTERM');
    assert.equal(await primary.exited, 0, primary.log());
    assert.equal(primary.lines('worker did not leave in time, killed').length, 0);
  });

  it('waits for a worker that does not leave, and kills it on the second signal', async () => {
    const primary = await startReady('stuck');
    primary.child.kill('SIGTERM');
    await waitFor('the first signal', () => primary.lines('signal received').length === 1);
    assert.equal(primary.lines('worker stopped').length, 0);
    // Within half a second a signal is taken for the same one: npm passes on what a terminal sent.
    await waitFor('a second signal', () => {
      primary.child.kill('SIGTERM');
      return primary.lines('signal received').some(({ forced }) => forced === true);
    });
    assert.equal(await primary.exited, 0, primary.log());
    const stopped = primary.lines('worker stopped');
    assert.deepEqual(
      stopped.map(({ signal }) => signal),
      ['SIGKILL', 'SIGKILL'],
    );
    for (const { workerPid } of stopped) assert.equal(isAlive(workerPid ?? 0), false);
  });

  it('kills a worker that does not leave in time, and exits 1', async () => {
    const primary = await startReady('stuck', { drainMs: 100, workers: 1 });
    primary.child.kill('SIGTERM');
    assert.equal(await primary.exited, 1, primary.log());
    assert.deepEqual(
      primary.lines('worker did not leave in time, killed').map(({ signal }) => signal),
      ['SIGKILL'],
    );
  });
});
