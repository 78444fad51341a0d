import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { OwnProcess, WorkerStatus } from '../../src/admin/own-process.ts';
import { createSiblingServer } from '../../src/admin/sibling-server.ts';
import { type SiblingAnswer, Siblings, type SiblingsOptions } from '../../src/admin/siblings.ts';
import {
  deadPid,
  listenOn,
  ownProcess,
  staleSocket,
  temporaryDir,
} from './fixtures/own-process.ts';

const log = { debug: () => {}, warn: () => {} };
const SELF = { slot: '0', pid: process.pid, state: 'ready' };

const itself = (answer: SiblingAnswer): SiblingAnswer => answer;

async function setUp(t: TestContext, options: Partial<SiblingsOptions> = {}) {
  const runDir = await temporaryDir(t);
  const siblings = new Siblings({ runDir, own: ownProcess(), log, timeoutMs: 5000, ...options });
  const states = async () =>
    (await siblings.ask('metrics', itself)).map(({ slot, pid, state }) => ({ slot, pid, state }));
  const serve = async (changes: Partial<WorkerStatus>, metrics?: string) => {
    const server = await createSiblingServer({ runDir, own: ownProcess(changes, metrics) });
    t.after(server.close);
    return server;
  };
  return { runDir, siblings, states, serve };
}

const HEAD = 'HTTP/1.1 200 OK\r\nx-plugind-state: ready\r\nx-plugind-uptime: 1\r\n';

describe('Siblings', () => {
  it('asks every process, and itself without its socket', async (t) => {
    const { siblings, serve } = await setUp(t);
    await serve({ slot: '1', pid: 1001, state: 'starting', uptimeSeconds: 2 }, 'a 1\n');
    await serve({ slot: '2', pid: 1002 }, 'a 2\n');
    assert.deepEqual(await siblings.ask('metrics', itself), [
      { ...SELF, uptimeSeconds: 10, body: await ownProcess().metrics() },
      { slot: '1', pid: 1001, state: 'starting', uptimeSeconds: 2, body: 'a 1\n' },
      { slot: '2', pid: 1002, state: 'ready', uptimeSeconds: 10, body: 'a 2\n' },
    ]);
    const bodies = (await siblings.ask('status', itself)).map(
      (answer) => 'body' in answer && answer.body,
    );
    assert.deepEqual(bodies[0], JSON.stringify(ownProcess().status()));
    assert.equal(JSON.parse(String(bodies[2])).pid, 1002);
  });

  it('does not ask its own socket', async (t) => {
    const { runDir, states } = await setUp(t);
    let connections = 0;
    await listenOn(t, join(runDir, `w0-${process.pid}.sock`), () => connections++);
    assert.deepEqual(await states(), [SELF]);
    assert.equal(connections, 0);
  });

  it('gives both of two processes that share a slot', async (t) => {
    const { states, serve } = await setUp(t);
    await serve({ slot: '1', pid: 1001, state: 'draining' });
    await serve({ slot: '1', pid: 1002 });
    assert.deepEqual((await states()).slice(1), [
      { slot: '1', pid: 1001, state: 'draining' },
      { slot: '1', pid: 1002, state: 'ready' },
    ]);
  });

  for (const [name, talk] of Object.entries({
    'accepts and never answers': null,
    'sends its head and then nothing': `${HEAD}content-length: 5\r\n\r\n`,
    'closes before the end': `${HEAD}content-length: 5\r\n\r\na 1`,
    'answers no HTTP': 'garbage\r\n\r\n',
    'answers without its state': 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
    'answers with a state there is not': `${HEAD.replace('ready', 'fine')}content-length: 0\r\n\r\n`,
    'answers with an error': `${HEAD.replace('200', '500')}content-length: 0\r\n\r\n`,
  })) {
    it(`marks a sibling silent that ${name}, and hears the others`, async (t) => {
      const { runDir, states, serve } = await setUp(t, { timeoutMs: 300 });
      await serve({ slot: '2', pid: 1002 });
      await listenOn(t, join(runDir, 'w1-1001.sock'), (socket) => {
        if (talk !== null) socket.write(talk);
        if (name.startsWith('closes')) socket.end();
      });
      const expected = [
        SELF,
        { slot: '1', pid: 1001, state: 'silent' },
        { slot: '2', pid: 1002, state: 'ready' },
      ];
      assert.deepEqual(await states(), expected);
    });
  }

  it('does not wait on for a sibling that sends a byte now and then', async (t) => {
    const { runDir, states } = await setUp(t, { timeoutMs: 300 });
    let timer: NodeJS.Timeout | undefined;
    await listenOn(t, join(runDir, 'w1-1001.sock'), (socket) => {
      socket.write(`${HEAD}content-length: 1000\r\n\r\n`);
      timer = setInterval(() => socket.write('a'), 20);
      socket.once('close', () => clearInterval(timer));
    });
    t.after(() => clearInterval(timer));
    assert.deepEqual(await states(), [SELF, { slot: '1', pid: 1001, state: 'silent' }]);
  });

  it('asks all at once', async (t) => {
    const { runDir, states } = await setUp(t, { timeoutMs: 400 });
    for (let pid = 1001; pid <= 1010; pid++) await listenOn(t, join(runDir, `w1-${pid}.sock`));
    const before = performance.now();
    assert.equal((await states()).length, 11);
    assert.ok(performance.now() - before < 2000);
  });

  it('stops reading an answer that is too long', async (t) => {
    const { states, serve } = await setUp(t, { maxBytes: 1000 });
    await serve({ slot: '1', pid: 1001 }, 'x'.repeat(1000));
    await serve({ slot: '2', pid: 1002 }, 'x'.repeat(1001));
    assert.deepEqual(
      (await states()).map(({ state }) => state),
      ['ready', 'ready', 'silent'],
    );
  });

  it('removes the socket of a process that is gone and does not show it', async (t) => {
    const { runDir, states } = await setUp(t);
    const path = join(runDir, `w1-${deadPid()}.sock`);
    await staleSocket(t, path);
    assert.deepEqual(await states(), [SELF]);
    assert.ok(!existsSync(path));
  });

  it("answers where a dead process's socket cannot be removed", async (t) => {
    const { runDir, states } = await setUp(t);
    // A folder refuses to be connected to and to be unlinked, as a socket does on a disk gone read-only.
    await mkdir(join(runDir, `w1-${deadPid()}.sock`));
    assert.deepEqual(await states(), [SELF]);
  });

  it('does not show a refusing socket of a process that lives, and leaves it', async (t) => {
    const { runDir, states } = await setUp(t);
    const path = join(runDir, `w1-${process.ppid}.sock`);
    await staleSocket(t, path);
    assert.deepEqual(await states(), [SELF]);
    assert.ok(existsSync(path));
  });

  it('looks at its own kind of names only', async (t) => {
    const { runDir, states } = await setUp(t);
    for (const name of [
      'config.json',
      'w1.sock',
      'w-1.sock',
      'w1-0.sock',
      'wx-1.sock',
      'w1-2.sock.tmp',
    ]) {
      await writeFile(join(runDir, name), '');
    }
    assert.deepEqual(await states(), [SELF]);
  });

  it('answers for itself when the run directory is gone', async () => {
    const siblings = new Siblings({ runDir: '/does/not/exist', own: ownProcess(), log });
    assert.equal((await siblings.ask('metrics', itself)).length, 1);
  });

  it('marks itself silent when its own metrics cannot be read', async (t) => {
    const own: OwnProcess = { ...ownProcess(), metrics: () => Promise.reject(new Error('broken')) };
    const { states } = await setUp(t, { own });
    assert.deepEqual(await states(), [{ ...SELF, state: 'silent' }]);
  });
});
