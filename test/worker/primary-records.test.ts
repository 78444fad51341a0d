/** What workers leave in a run directory that outlives their primary: it counts for that primary only. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { processIdentity } from '../../src/worker/process-identity.ts';
import { claimSlot, readClaims, releaseSlot } from '../../src/worker/slot-claims.ts';
import { readHangRecord } from '../../src/worker/watchdog/hang-record.ts';
import { sayHung } from '../../src/worker/watchdog/last-words.ts';
import { waitFor } from '../helpers/wait-for.ts';

const ADDRESSES = {
  listen: { host: '127.0.0.1', port: 1 },
  admin: { host: '127.0.0.1', port: 2, token: 'secret' },
};

function createRunDir(t: TestContext): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'records-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

/** A process that lives as long as the test. */
function livingPid(t: TestContext): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  t.after(() => child.kill('SIGKILL'));
  assert.ok(child.pid);
  return child.pid;
}

describe('the claims of slots', () => {
  // Seen failing with every claim read: a pm2 that came back with fewer workers expects the old ones.
  it('are those of the workers of this primary, dead ones too', (t) => {
    const runDir = createRunDir(t);
    const primaryPid = livingPid(t);
    claimSlot(runDir, '0', { pid: 11, primaryPid, ...ADDRESSES });
    claimSlot(runDir, '1', { pid: 12, primaryPid, ...ADDRESSES });
    claimSlot(runDir, '2', { pid: 13, primaryPid: process.pid, ...ADDRESSES });
    const pids = readClaims(runDir, primaryPid).map(({ pid }) => pid);
    assert.deepEqual(pids.toSorted(), [11, 12]);
    releaseSlot(runDir, '1', 12);
    assert.deepEqual(readClaims(runDir, primaryPid), [
      {
        pid: 11,
        primary: processIdentity(primaryPid),
        listen: ADDRESSES.listen,
        admin: { host: '127.0.0.1', port: 2 },
      },
    ]);
  });

  // Seen failing: a full disk got a file more at each restart of a worker.
  it('leave nothing behind where they cannot be written', (t) => {
    const runDir = createRunDir(t);
    mkdirSync(path.join(runDir, 'slot-0.json'));
    assert.throws(() => claimSlot(runDir, '0', { pid: 11, primaryPid: 1, ...ADDRESSES }));
    assert.deepEqual(readdirSync(runDir), ['slot-0.json']);
  });

  it('are left alone by who cleans the temporary folder', {
    skip: process.platform !== 'linux',
  }, (t) => {
    const runDir = createRunDir(t);
    claimSlot(runDir, '0', { pid: 11, primaryPid: 1, ...ADDRESSES });
    assert.equal(statSync(path.join(runDir, 'slot-0.json')).mode & 0o7777, 0o1600);
  });
});

describe('the record of hangs', () => {
  // Seen failing with the primary not looked at.
  it('counts those under this primary', async (t) => {
    const runDir = createRunDir(t);
    const words = { slot: '3', pid: 11, runDir, errorLog: path.join(runDir, 'error.log') };
    const call = { plugin: 'slow', function: 'spin' };
    await sayHung({ ...words, primaryPid: livingPid(t) }, call, 2000);
    assert.equal(readHangRecord(runDir, '3', process.pid), null);
    for (const hangs of [1, 2]) {
      await sayHung({ ...words, primaryPid: process.pid }, call, 2000);
      // It is written behind the words when the disk is slow.
      const record = await waitFor('the record', () => {
        const read = readHangRecord(runDir, '3', process.pid);
        return read?.hangs === hangs && read;
      });
      assert.deepEqual([record.pid, record.plugin, record.function], [11, 'slow', 'spin']);
    }
  });
});

describe('the identity of a process', () => {
  it('is its own as long as it lives', { skip: process.platform !== 'linux' }, (t) => {
    const pid = livingPid(t);
    assert.match(processIdentity(pid), new RegExp(`^${pid}-\\d+$`));
    assert.equal(processIdentity(pid), processIdentity(pid));
  });
});
