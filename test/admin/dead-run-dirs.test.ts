import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { removeDeadRunDirs } from '../../src/admin/dead-run-dirs.ts';
import { ownUid, runDirPrefix } from '../../src/admin/run-dir.ts';
import { deadPid, listenOn, staleSocket, temporaryDir } from './fixtures/own-process.ts';

const PREFIX = runDirPrefix('plugind', ownUid());

/** A run directory with one file in it, its parent and the options that look there. */
async function runDir(t: TestContext, name: string) {
  const parent = await temporaryDir(t);
  const path = join(parent, name);
  await mkdir(path);
  await writeFile(join(path, 'config.json'), '{}');
  return { path, parent, options: { appName: 'plugind', parent, minAgeMs: 0 } };
}

describe('removeDeadRunDirs', () => {
  it('removes that of a primary that is gone, with its stale sockets', async (t) => {
    const { path, options } = await runDir(t, `${PREFIX}${deadPid()}`);
    await staleSocket(t, join(path, 'w0-1.sock'));
    assert.deepEqual(await removeDeadRunDirs(options), [path]);
    assert.ok(!existsSync(path));
  });

  it('leaves that of a primary that lives', async (t) => {
    const { path, options } = await runDir(t, `${PREFIX}${process.ppid}`);
    assert.deepEqual(await removeDeadRunDirs(options), []);
    assert.ok(existsSync(path));
  });

  it('leaves one on whose socket somebody listens', async (t) => {
    const { path, options } = await runDir(t, `${PREFIX}${deadPid()}`);
    await staleSocket(t, join(path, 'w0-1.sock'));
    await listenOn(t, join(path, 'w1-2.sock'));
    assert.deepEqual(await removeDeadRunDirs(options), []);
  });

  it('leaves one that is young', async (t) => {
    const { options } = await runDir(t, `${PREFIX}${deadPid()}`);
    assert.deepEqual(await removeDeadRunDirs({ ...options, minAgeMs: 60_000 }), []);
  });

  it('leaves those of other apps and users, and what only looks alike', async (t) => {
    const pid = deadPid();
    const { parent, options } = await runDir(t, `${runDirPrefix('plugind-2', ownUid())}${pid}`);
    const others = [`${runDirPrefix('plugind', ownUid() + 1)}${pid}`, `${PREFIX}${pid}x`, PREFIX];
    for (const name of others) await mkdir(join(parent, name));
    assert.deepEqual(await removeDeadRunDirs(options), []);
    assert.deepEqual(await removeDeadRunDirs({ ...options, uid: ownUid() + 1 }), []);
  });

  it('does not follow a link', async (t) => {
    const target = await runDir(t, 'precious');
    await symlink(target.path, join(target.parent, `${PREFIX}${deadPid()}`));
    assert.deepEqual(await removeDeadRunDirs(target.options), []);
    assert.ok(existsSync(join(target.path, 'config.json')));
  });

  it('finds nothing where there is no temporary folder', async () => {
    assert.deepEqual(
      await removeDeadRunDirs({ appName: 'plugind', parent: '/does/not/exist' }),
      [],
    );
  });
});
