/** Descriptors of the process: none is kept by a closed guest, none is opened without need. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CAN_LIST_DESCRIPTORS, createDirectory, mount, openIn, TestGuest } from './test-guest.ts';

const skip = !CAN_LIST_DESCRIPTORS && 'this system does not list descriptors in /proc/self/fd';

function createRoot(): string {
  const root = createDirectory();
  mkdirSync(join(root, 'sub'));
  writeFileSync(join(root, 'file'), 'content');
  return root;
}

describe('descriptors', { skip }, () => {
  it('are all given back by 1,000 guests', () => {
    const root = createRoot();
    for (let round = 0; round < 1000; round++) {
      const guest = new TestGuest({ preopens: [mount(root, '/'), mount(root, '/ro', true)] });
      assert.equal(guest.read(guest.open(4, 'file')), 'content');
      guest.open(3, 'sub', { flags: 2 });
      guest.call('fd_close', 3);
      if (round === 0) assert.ok(openIn(root).length >= 2);
      guest.wasi.close();
    }
    assert.deepEqual(openIn(root), []);
  });

  it('are given back by what closes, replaces or ends', () => {
    const root = createRoot();
    const guest = new TestGuest({ preopens: [mount(root, '/')] });
    guest.list(3);
    const before = openIn(root).length;
    const opened = [guest.open(3, 'file'), guest.open(3, 'file'), guest.open(3, 'file')] as const;
    assert.equal(openIn(root).length, before + 3);
    guest.call('fd_close', opened[0]);
    guest.call('fd_renumber', opened[1], opened[2]);
    guest.call('fd_renumber', opened[2], 1);
    guest.wasi.begin();
    assert.equal(openIn(root).length, before);
    guest.wasi.close();
  });

  it('are not opened for a guest that uses no files', () => {
    const root = createRoot();
    const guests = Array.from({ length: 10 }, () => {
      const guest = new TestGuest({ preopens: [mount(root, '/')] });
      guest.print(1, 'x\n');
      guest.call('fd_prestat_get', 3, 0);
      return guest;
    });
    assert.deepEqual(openIn(root), []);
    for (const guest of guests) guest.wasi.close();
  });

  it('of a guest that was never closed raise nothing', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const raised: unknown[] = [];
    const keep = (thrown: Error): void => {
      if (thrown.name !== 'ExperimentalWarning') raised.push(thrown);
    };
    process.on('warning', keep);
    process.on('uncaughtException', keep);
    const root = createRoot();
    for (let round = 0; round < 20; round++) {
      const guest = new TestGuest({ preopens: [mount(root, '/')] });
      guest.open(3, 'file');
      new TestGuest().print(1, 'x');
    }
    for (let round = 0; round < 5; round++) {
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
    process.off('warning', keep);
    process.off('uncaughtException', keep);
    assert.deepEqual(raised, []);
  });
});
