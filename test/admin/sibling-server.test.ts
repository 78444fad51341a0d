import assert from 'node:assert/strict';
import cluster from 'node:cluster';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { askSibling, type Question } from '../../src/admin/ask-sibling.ts';
import { createSiblingServer } from '../../src/admin/sibling-server.ts';
import { ownProcess, staleSocket, temporaryDir } from './fixtures/own-process.ts';

const LIMITS = { timeoutMs: 5000, maxBytes: 100_000 };

describe('createSiblingServer', () => {
  it('serves its own metrics and status with its state', async (t) => {
    const own = ownProcess({ slot: '3', state: 'draining', uptimeSeconds: 1.5 }, 'a 1\n');
    const server = await createSiblingServer({ runDir: await temporaryDir(t), own });
    t.after(server.close);
    assert.ok(server.path.endsWith(`/w3-${process.pid}.sock`));
    const ask = (path: Question['path']) => askSibling({ socket: server.path, path, ...LIMITS });
    const expected = { state: 'draining', uptimeSeconds: 1.5 };
    assert.deepEqual(await ask('/metrics'), { ...expected, body: 'a 1\n' });
    assert.deepEqual(JSON.parse((await ask('/status')).body), own.status());
    await assert.rejects(ask('/other' as '/status'), { code: 'INTERNAL' });
  });

  it('answers 500 when its metrics cannot be read, and serves on', async (t) => {
    let isBroken = true;
    const metrics = () =>
      isBroken ? Promise.reject(new Error('broken')) : Promise.resolve('a 1\n');
    const own = { ...ownProcess(), metrics };
    const server = await createSiblingServer({ runDir: await temporaryDir(t), own });
    t.after(server.close);
    const question: Question = { socket: server.path, path: '/metrics', ...LIMITS };
    await assert.rejects(askSibling(question), { code: 'INTERNAL' });
    isBroken = false;
    assert.equal((await askSibling(question)).body, 'a 1\n');
  });

  it('refuses a path of 104 bytes, in characters of several bytes too, and takes one of 103', async (t) => {
    const parent = await temporaryDir(t);
    const name = `w0-${process.pid}.sock`;
    const room = 103 - Buffer.byteLength(`${parent}//${name}`);
    const dirs = [`é${'x'.repeat(room - 2)}`, `é${'x'.repeat(room - 1)}`].map((dir) =>
      join(parent, dir),
    );
    for (const dir of dirs) await mkdir(dir);
    const [fits, long] = dirs as [string, string];
    const server = await createSiblingServer({ runDir: fits, own: ownProcess() });
    t.after(server.close);
    assert.equal(Buffer.byteLength(server.path), 103);
    await assert.rejects(createSiblingServer({ runDir: long, own: ownProcess() }), {
      code: 'CONFIG_INVALID',
      details: { path: join(long, name), bytes: 104, limit: 103 },
    });
  });

  it('refuses a folder that is not there', async (t) => {
    const runDir = join(await temporaryDir(t), 'no');
    await assert.rejects(createSiblingServer({ runDir, own: ownProcess() }), {
      code: 'CONFIG_INVALID',
    });
  });

  it('takes the place of a dead process with its pid', async (t) => {
    const runDir = await temporaryDir(t);
    await staleSocket(t, join(runDir, `w0-${process.pid}.sock`));
    const server = await createSiblingServer({ runDir, own: ownProcess() });
    t.after(server.close);
    await askSibling({ socket: server.path, path: '/status', ...LIMITS });
  });

  it('removes its socket when it closes, cuts whoever hangs on it, and closes once', async (t) => {
    const server = await createSiblingServer({ runDir: await temporaryDir(t), own: ownProcess() });
    const hanging = connect(server.path).on('error', () => {});
    await new Promise((resolve) => hanging.once('connect', resolve));
    hanging.write('GET /met');
    const cut = new Promise((resolve) => hanging.once('close', resolve));
    await Promise.all([server.close(), server.close()]);
    await cut;
    await server.close();
    assert.ok(!existsSync(server.path));
  });

  it('binds in the worker itself, not in the primary of its cluster', async (t) => {
    const runDir = await temporaryDir(t);
    const exec = join(import.meta.dirname, 'fixtures', 'sibling-worker.ts');
    cluster.setupPrimary({ exec, args: [runDir], execArgv: ['--import', 'tsx'] });
    const boundByPrimary: unknown[] = [];
    cluster.on('listening', (_worker, address) => boundByPrimary.push(address));
    const worker = cluster.fork();
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    const path = await new Promise<string>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('exit', (code) => reject(new Error(`worker exited with ${code}`)));
    });
    const { body } = await askSibling({ socket: path, path: '/status', ...LIMITS });
    assert.equal(JSON.parse(body).pid, worker.process.pid);
    worker.process.kill('SIGKILL');
    await exited;
    assert.deepEqual(boundByPrimary, []);
  });
});
