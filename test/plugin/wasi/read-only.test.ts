/** Directories allowed with `ro:`: every way to change something in them, also round about. */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CHANGE, createDirectory, mount, READ, TestGuest, WRITE } from './test-guest.ts';

const ROFS = 69;
const BUSY = 10;

/** host: top/{open/, conf/{file, sub/}}. */
function createTree(): { top: string; conf: string; open: string; unchanged: () => void } {
  const top = createDirectory();
  const conf = join(top, 'conf');
  const open = join(top, 'open');
  mkdirSync(join(conf, 'sub'), { recursive: true });
  mkdirSync(open);
  writeFileSync(join(conf, 'file'), 'kept');
  writeFileSync(join(conf, 'sub', 'inner'), 'kept');
  const { mtimeMs } = statSync(join(conf, 'file'));
  return {
    top,
    conf,
    open,
    unchanged() {
      assert.deepEqual(readdirSync(conf).sort(), ['file', 'sub']);
      assert.deepEqual(readdirSync(join(conf, 'sub')), ['inner']);
      assert.equal(readFileSync(join(conf, 'file'), 'utf8'), 'kept');
      assert.equal(statSync(join(conf, 'file')).mtimeMs, mtimeMs);
    },
  };
}

/** Every writing call on what `fd` and `prefix` lead to; `spare` is a directory that may be written. */
function attack(guest: TestGuest, fd: number, prefix: string, spare: number): void {
  const file = guest.text(`${prefix}file`, 1024);
  const fresh = guest.text(`${prefix}fresh`, 2048);
  const elsewhere = guest.text('elsewhere', 3072);
  const refused = (errno: number | undefined, what: string): void =>
    assert.equal(errno, ROFS, `${what} ${prefix}`);
  refused(-guest.open(fd, `${prefix}fresh`, { flags: 1, base: WRITE }), 'create');
  refused(-guest.open(fd, `${prefix}file`, { flags: 1 }), 'create, for reading');
  refused(-guest.open(fd, `${prefix}file`, { flags: 8 }), 'truncate');
  refused(-guest.open(fd, `${prefix}file`, { base: READ | WRITE }), 'open for writing');
  guest.text(`${prefix}file`, 1024);
  refused(guest.call('path_create_directory', fd, ...fresh), 'create directory');
  refused(guest.call('path_remove_directory', fd, ...guest.text(`${prefix}sub`, 4096)), 'rmdir');
  refused(guest.call('path_unlink_file', fd, ...file), 'unlink');
  refused(guest.call('path_rename', fd, ...file, spare, ...elsewhere), 'rename from');
  refused(guest.call('path_link', fd, 0, ...file, spare, ...elsewhere), 'link from');
  refused(guest.call('path_filestat_set_times', fd, 0, ...file, 0n, 0n, 5), 'set times');
  refused(guest.call('path_symlink', ...file, fd, ...fresh), 'symlink');
  const own = guest.open(spare, 'own', { flags: 1, base: WRITE });
  guest.text(`${prefix}fresh`, 2048);
  const source = guest.text('own', 1024);
  refused(guest.call('path_rename', spare, ...source, fd, ...fresh), 'rename to');
  refused(guest.call('path_link', spare, 0, ...source, fd, ...fresh), 'link to');
  guest.call('fd_close', own);

  const opened = guest.open(fd, `${prefix}file`);
  assert.ok(opened > 0);
  assert.equal(guest.read(opened), 'kept');
  refused(guest.print(opened, 'x'), 'write');
  refused(guest.call('fd_pwrite', opened, ...guest.vectors(guest.text('x')), 0n, 0), 'pwrite');
  refused(guest.call('fd_filestat_set_size', opened, 0n), 'set size');
  refused(guest.call('fd_filestat_set_times', opened, 0n, 0n, 5), 'set times of descriptor');
  assert.equal(guest.call('fd_allocate', opened, 0n, 1000n), 58);
  assert.equal(guest.call('fd_fdstat_get', opened, 0), 0);
  assert.equal(guest.u64(8) & CHANGE, 0n, 'no right to write is told of');
  // A number that was given to something writable before.
  const other = guest.open(spare, 'other', { flags: 1, base: WRITE });
  assert.equal(guest.call('fd_renumber', opened, other), 0);
  refused(guest.print(other, 'x'), 'write after renumbering');
  guest.call('fd_close', other);
  assert.deepEqual(guest.trips, []);
}

describe('a read-only directory', () => {
  it('is read, and not written in any way', () => {
    const { conf, open, unchanged } = createTree();
    const guest = new TestGuest({ preopens: [mount(conf, '/conf', true), mount(open, '/open')] });
    attack(guest, 3, '', 4);
    attack(guest, 3, 'sub/../', 4);
    const all = (1n << 30n) - 1n;
    const sub = guest.open(3, 'sub', { flags: 2, base: all, inheriting: all });
    attack(guest, sub, '../', 4);
    for (const fd of [3, sub]) {
      assert.equal(guest.call('fd_fdstat_get', fd, 0), 0);
      const rights = guest.u64(8) | guest.u64(16);
      assert.equal(rights & CHANGE, 0n, 'no right to change anything is told of');
    }
    assert.deepEqual(guest.list(3), ['file', 'sub']);
    assert.equal(guest.call('path_remove_directory', 3, ...guest.text('.')), ROFS);
    unchanged();
    guest.wasi.close();
  });

  it('is one in another that may be written', () => {
    const { top, conf, unchanged } = createTree();
    const guest = new TestGuest({ preopens: [mount(top, '/'), mount(conf, '/conf', true)] });
    attack(guest, 3, 'conf/', 3);
    attack(guest, 4, '', 3);
    const inside = guest.open(3, 'conf', { flags: 2 });
    attack(guest, inside, '', 3);
    const open = guest.open(3, 'open', { flags: 2 });
    attack(guest, open, '../conf/', 3);
    assert.equal(guest.call('path_symlink', ...guest.text('conf'), 3, ...guest.text('l', 2048)), 0);
    attack(guest, 3, 'l/', 3);
    assert.ok(guest.open(3, 'mine', { flags: 1, base: WRITE }) > 0);
    unchanged();
    guest.wasi.close();
  });

  it('cannot be moved away to where it may be written', () => {
    const { top, conf, unchanged } = createTree();
    const guest = new TestGuest({
      preopens: [mount(top, '/'), mount(join(conf, 'sub'), '/sub', true)],
    });
    const target = guest.text('moved', 2048);
    for (const path of ['conf', 'conf/../conf/.']) {
      assert.equal(guest.call('path_rename', 3, ...guest.text(path), 3, ...target), BUSY);
    }
    const conf2 = guest.text('conf', 2048);
    assert.equal(guest.call('path_rename', 3, ...guest.text('open'), 3, ...conf2), BUSY);
    assert.equal(guest.call('path_rename', 3, ...guest.text('conf/sub'), 3, ...target), ROFS);
    assert.equal(guest.call('path_remove_directory', 3, ...guest.text('conf')), BUSY);
    assert.equal(guest.call('path_remove_directory', 3, ...guest.text('.')), BUSY);
    unchanged();
    guest.wasi.close();
  });

  it('is not reached over a directory that became a link', () => {
    const { top, conf, unchanged } = createTree();
    mkdirSync(join(top, 'a'));
    const guest = new TestGuest({ preopens: [mount(top, '/'), mount(conf, '/conf', true)] });
    const a = guest.open(3, 'a', { flags: 2 });
    const moved = guest.text('b', 2048);
    assert.equal(guest.call('path_rename', 3, ...guest.text('a'), 3, ...moved), 0);
    assert.equal(guest.call('path_symlink', ...guest.text('conf'), 3, ...guest.text('a', 2048)), 0);
    attack(guest, a, '', 3);
    unchanged();
    guest.wasi.close();
  });

  it('may hold one that is written through its own name', () => {
    const { top, open, unchanged } = createTree();
    const guest = new TestGuest({ preopens: [mount(top, '/', true), mount(open, '/open')] });
    assert.equal(guest.open(3, 'open/x', { flags: 1, base: WRITE }), -ROFS);
    assert.ok(guest.open(4, 'x', { flags: 1, base: WRITE }) > 0);
    const sub = guest.open(3, 'open', { flags: 2 });
    assert.equal(guest.open(sub, 'y', { flags: 1, base: WRITE }), -ROFS);
    unchanged();
    guest.wasi.close();
  });

  it('is known by its real place, whatever link configuration names', () => {
    const { top, conf, unchanged } = createTree();
    symlinkSync(conf, join(top, 'named'));
    const guest = new TestGuest({
      preopens: [mount(top, '/'), mount(join(top, 'named'), '/conf', true)],
    });
    attack(guest, 3, 'conf/', 3);
    unchanged();
    guest.wasi.close();
  });
});
