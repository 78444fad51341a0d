/** A guest's directories: what works, and that nothing outside of them does. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createGuestWasi } from '../../../src/plugin/wasi/guest-wasi.ts';
import { createDirectory, mount, READ, TestGuest, WRITE } from './test-guest.ts';

function createGuest(): { guest: TestGuest; root: string; outside: string } {
  const outside = createDirectory();
  const root = join(outside, 'root');
  mkdirSync(join(root, 'sub'), { recursive: true });
  writeFileSync(join(root, 'file'), 'content');
  writeFileSync(join(root, 'sub', 'inner'), 'inner content');
  writeFileSync(join(outside, 'secret'), 'secret');
  return { guest: new TestGuest({ preopens: [mount(root, '/data')] }), root, outside };
}

describe('the directories', () => {
  it('are told in their order, by name', () => {
    const root = createDirectory();
    const guest = new TestGuest({
      preopens: [mount(root, '2'), mount(root, '/größe'), mount(root, '1', true)],
    });
    const names = [3, 4, 5].map((fd) => {
      assert.equal(guest.call('fd_prestat_get', fd, 0), 0);
      assert.equal(guest.u32(0), 0);
      const length = guest.u32(4);
      assert.equal(guest.call('fd_prestat_dir_name', fd, 64, length - 1), 37);
      assert.equal(guest.call('fd_prestat_dir_name', fd, 64, length), 0);
      return guest.bytes.toString('utf8', 64, 64 + length);
    });
    assert.deepEqual(names, ['2', '/größe', '1']);
    assert.equal(guest.call('fd_prestat_get', 6, 0), 8);
    guest.wasi.close();
  });

  it('must be directories, and each name only once', () => {
    const root = createDirectory();
    writeFileSync(join(root, 'file'), '');
    for (const preopens of [
      [mount(join(root, 'none'), '/')],
      [mount(join(root, 'file'), '/')],
      [mount(root, '/'), mount(root, '/')],
    ]) {
      assert.throws(() => new TestGuest({ preopens }), { code: 'CONFIG_INVALID' });
    }
  });

  it('end the call when one has gone since', () => {
    const { guest, root } = createGuest();
    execFileSync('rm', ['-r', root]);
    assert.equal(guest.call('fd_filestat_get', 3, 0), 11);
    assert.equal(guest.trips[0]?.code, 'INTERNAL');
  });
});

describe('a file', () => {
  it('is made, written, read, cut and removed', () => {
    const { guest, root } = createGuest();
    const fd = guest.open(3, 'new', { flags: 1, base: READ | WRITE });
    assert.equal(fd, 4);
    assert.equal(guest.print(fd, 'hello world'), 0);
    assert.equal(guest.u32(0), 11);
    assert.equal(guest.read(fd), '');
    assert.equal(guest.call('fd_tell', fd, 8), 0);
    assert.equal(guest.u64(8), 11n);
    assert.equal(guest.call('fd_seek', fd, -5n, 1, 8), 0);
    assert.equal(guest.u64(8), 6n);
    assert.equal(guest.read(fd, 3), 'wor');
    assert.equal(guest.read(fd), 'ld');
    const [pointer, length] = guest.text('HELLO');
    assert.equal(guest.call('fd_pwrite', fd, ...guest.vectors([pointer, length]), 0n, 0), 0);
    assert.equal(guest.call('fd_pread', fd, ...guest.vectors([2048, 7]), 2n, 0), 0);
    assert.equal(guest.bytes.toString('utf8', 2048, 2055), 'LLO wor');
    assert.equal(guest.call('fd_filestat_set_size', fd, 5n), 0);
    assert.equal(guest.call('fd_filestat_get', fd, 64), 0);
    assert.equal(guest.u64(96), 5n);
    assert.equal(guest.bytes[80], 4, 'a regular file');
    assert.equal(guest.call('fd_sync', fd), 0);
    assert.equal(guest.call('fd_datasync', fd), 0);
    assert.equal(guest.call('fd_advise', fd, 0n, 0n, 0), 0);
    assert.equal(guest.call('fd_allocate', fd, 0n, 1n << 40n), 58);
    assert.equal(guest.call('fd_close', fd), 0);
    assert.equal(guest.read(fd), 'errno 8');
    assert.equal(readFileSync(join(root, 'new'), 'utf8'), 'HELLO');
    assert.equal(guest.call('path_unlink_file', 3, ...guest.text('new')), 0);
    assert.ok(!existsSync(join(root, 'new')));
    assert.deepEqual(guest.trips, []);
    guest.wasi.close();
  });

  it('fills many buffers, and the guest alone', () => {
    const { guest, root } = createGuest();
    writeFileSync(join(root, 'large'), 'x'.repeat(300_000));
    guest.memory.grow(10);
    const large = guest.open(3, 'large');
    assert.equal(guest.call('fd_read', large, ...guest.vectors([4096, 600_000]), 0), 0);
    assert.equal(guest.u32(0), 262_144);
    assert.equal(guest.call('fd_read', large, ...guest.vectors([4096, 600_000]), 0), 0);
    assert.equal(guest.u32(0), 300_000 - 262_144);
    guest.bytes.fill(0, 1024);
    const small = guest.open(3, 'file');
    const vectors = guest.vectors([2048, 3], [3072, 2], [4096, 100]);
    assert.equal(guest.call('fd_read', small, ...vectors, 0), 0);
    assert.equal(guest.u32(0), 7);
    assert.equal(guest.bytes.toString('utf8', 2048, 2052), 'con\0');
    assert.equal(guest.bytes.toString('utf8', 3072, 3075), 'te\0');
    assert.equal(guest.bytes.toString('utf8', 4096, 4200), `nt${'\0'.repeat(102)}`);
    guest.wasi.close();
  });

  it('is linked, renamed, dated and looked at by name', () => {
    const { guest, root } = createGuest();
    const stat = (path: string, follow = true): number[] | number => {
      const errno = guest.call('path_filestat_get', 3, follow ? 1 : 0, ...guest.text(path), 64);
      return errno === 0 ? [guest.bytes[80] as number, Number(guest.u64(96))] : (errno as number);
    };
    const file = guest.text('file', 1024);
    assert.equal(guest.call('path_link', 3, 0, ...file, 3, ...guest.text('hard', 2048)), 0);
    assert.equal(guest.call('path_symlink', ...file, 3, ...guest.text('sub/soft', 2048)), 0);
    assert.equal(readlinkSync(join(root, 'sub', 'soft')), 'file');
    assert.equal(guest.call('path_readlink', 3, ...guest.text('sub/soft'), 64, 3, 0), 0);
    assert.equal(guest.u32(0), 3);
    assert.equal(guest.bytes.toString('utf8', 64, 67), 'fil');
    const moved = guest.text('sub/../moved', 2048);
    assert.equal(guest.call('path_rename', 3, ...guest.text('hard'), 3, ...moved), 0);
    assert.deepEqual(stat('moved'), [4, 7]);
    assert.equal(stat('hard'), 44);
    assert.equal(stat('sub/soft'), 44);
    assert.deepEqual(stat('sub/soft', false), [7, 4]);
    assert.deepEqual(stat('sub'), [3, statSync(join(root, 'sub')).size]);
    assert.equal(
      guest.call('path_filestat_set_times', 3, 1, ...guest.text('file'), 0n, 1_000_000_000n, 4),
      0,
    );
    assert.equal(statSync(join(root, 'file')).mtimeMs, 1000);
    const fd = guest.open(3, 'file', { base: READ | WRITE });
    assert.equal(guest.call('fd_filestat_set_times', fd, 0n, 2_000_000_000n, 4), 0);
    assert.equal(statSync(join(root, 'file')).mtimeMs, 2000);
    assert.deepEqual(guest.trips, []);
    guest.wasi.close();
  });

  it('is renumbered, also onto stdout, for one call', () => {
    const { guest, root } = createGuest();
    const fd = guest.open(3, 'log', { flags: 1, base: WRITE });
    assert.equal(guest.call('fd_renumber', fd, 1), 0);
    assert.equal(guest.print(1, 'line\n'), 0);
    assert.equal(guest.print(fd, 'x'), 8);
    guest.wasi.begin();
    assert.equal(guest.print(1, 'line\n'), 0);
    assert.deepEqual(guest.lines, ['stdout: line']);
    assert.equal(readFileSync(join(root, 'log'), 'utf8'), 'line\n');
    guest.wasi.close();
  });

  it('is one of a bounded number', () => {
    const { guest } = createGuest();
    const opened: number[] = [];
    for (let fd = guest.open(3, 'file'); fd > 0; fd = guest.open(3, 'file')) opened.push(fd);
    assert.equal(opened.length, 124);
    assert.equal(guest.open(3, 'file'), -33);
    assert.equal(guest.call('fd_close', 50), 0);
    assert.equal(guest.open(3, 'file'), 50);
    guest.wasi.close();
    assert.equal(guest.open(3, 'file'), -8);
    assert.equal(guest.read(50), 'errno 8');
  });
});

describe('a directory', () => {
  it('is made, listed and removed', () => {
    const { guest, root } = createGuest();
    assert.equal(guest.call('path_create_directory', 3, ...guest.text('made/')), 0);
    assert.deepEqual(guest.list(3), ['file', 'made', 'sub']);
    const sub = guest.open(3, 'sub', { flags: 2, base: (1n << 64n) - 1n - (1n << 63n) });
    assert.deepEqual(guest.list(sub), ['inner']);
    assert.equal(guest.read(guest.open(sub, 'inner')), 'inner content');
    assert.equal(guest.read(guest.open(sub, '../file')), 'content');
    assert.equal(guest.read(sub), 'errno 31');
    assert.equal(guest.call('fd_prestat_get', sub, 0), 8);
    assert.equal(guest.call('fd_readdir', 3, 0, 262_145, 0n, 0), 28);
    assert.equal(guest.call('path_remove_directory', 3, ...guest.text('made')), 0);
    assert.equal(guest.call('path_remove_directory', 3, ...guest.text('sub')), 55);
    assert.ok(!existsSync(join(root, 'made')));
    assert.equal(guest.call('fd_close', 3), 0);
    assert.equal(guest.open(3, 'file'), -8);
    assert.equal(guest.read(guest.open(sub, 'inner')), 'inner content');
    guest.wasi.close();
  });
});

describe('a path', () => {
  it('does not lead out of its directory', () => {
    const { guest, root, outside } = createGuest();
    symlinkSync('..', join(root, 'up'));
    symlinkSync(outside, join(root, 'absolute'));
    symlinkSync('sub', join(root, 'down'));
    symlinkSync('../secret', join(root, 'secret'));
    const paths = ['../secret', '/etc/passwd', 'sub/../../secret', 'up/secret', 'up', 'secret'];
    paths.push('absolute/secret', 'down/../../secret', 'up/root/file', './../root/file');
    for (const path of paths) {
      assert.equal(guest.open(3, path), -76, path);
      assert.equal(guest.call('path_filestat_get', 3, 1, ...guest.text(path), 64), 76, path);
      assert.equal(guest.call('path_create_directory', 3, ...guest.text(`${path}/x`)), 76, path);
    }
    assert.equal(guest.open(3, 'secret', { follow: false }), -32);
    assert.equal(guest.read(guest.open(3, 'down/inner')), 'inner content');
    assert.equal(guest.read(guest.open(3, 'down/../file')), 'content');
    guest.wasi.close();
  });

  it('does not lead out over a link that came later', () => {
    const { guest, root, outside } = createGuest();
    const name = guest.text('link', 2048);
    assert.equal(guest.call('path_symlink', ...guest.text('/etc'), 3, ...name), 76);
    // The directory behind an open descriptor gives way to a link.
    const sub = guest.open(3, 'sub', { flags: 2 });
    const moved = guest.text('moved', 2048);
    assert.equal(guest.call('path_rename', 3, ...guest.text('sub'), 3, ...moved), 0);
    symlinkSync('..', join(root, 'sub'));
    assert.equal(guest.open(sub, 'secret'), -76);
    assert.equal(guest.open(sub, 'made', { flags: 1, base: WRITE }), -76);
    assert.ok(!existsSync(join(outside, 'made')));
    guest.wasi.close();
  });

  it('does not list what a link leads to that came later', () => {
    const { guest } = createGuest();
    const sub = guest.open(3, 'sub', { flags: 2 });
    assert.deepEqual(guest.list(sub), ['inner']);
    const rename = (from: string, to: string): number | undefined =>
      guest.call('path_rename', 3, ...guest.text(from), 3, ...guest.text(to, 2048));
    const link = (to: string, name: string): number | undefined =>
      guest.call('path_symlink', ...guest.text(to), 3, ...guest.text(name, 2048));
    const list = (): number | undefined => guest.call('fd_readdir', sub, 4096, 4096, 0n, 0);
    assert.equal(rename('sub', 'moved'), 0);
    assert.equal(list(), 44);
    // By its letters the second link stays inside; the system goes up from where the first one leads.
    assert.equal(link('.', 'here'), 0);
    assert.equal(link('here/..', 'sub'), 0);
    assert.equal(list(), 76);
    assert.equal(rename('sub', 'out'), 0);
    assert.equal(link('moved', 'sub'), 0);
    assert.equal(list(), 76);
    assert.equal(rename('sub', 'in'), 0);
    assert.equal(rename('moved', 'sub'), 0);
    assert.equal(list(), 0);
    assert.deepEqual(guest.list(sub), ['inner']);
    guest.wasi.close();
  });

  it('is followed no longer than the call has time', () => {
    const { root } = createGuest();
    let looks = 0;
    const guest = new TestGuest({
      preopens: [mount(root, '/data')],
      remainingMs: () => (looks++ < 5 ? 1000 : 0),
    });
    const errno = (path: string): number | undefined => {
      looks = 0;
      return guest.call('path_filestat_get', 3, 1, ...guest.text(path), 64);
    };
    assert.equal(errno('sub/../sub/../sub/../sub/inner'), 0);
    assert.equal(errno('sub/../sub/../sub/../sub/../sub/inner'), 11);
    symlinkSync('sub/../round', join(root, 'round'));
    assert.equal(errno('round'), 11);
    guest.wasi.close();
  });

  it('is refused when it cannot be one', () => {
    const { guest, root } = createGuest();
    symlinkSync('loop', join(root, 'loop'));
    const cases: [string | Uint8Array, number][] = [
      ['', 44],
      ['none/file', 44],
      ['none', 44],
      ['none/../file', 44],
      ['file/', 54],
      ['file/..', 54],
      ['loop', 32],
      ['loop/x', 32],
      ['x'.repeat(4097), 37],
      ['./'.repeat(2049), 37],
      ['x'.repeat(300), 37],
      ['a\0b', 28],
      [Buffer.from([0xff]), 25],
    ];
    for (const [path, errno] of cases) {
      const named = guest.text(path);
      assert.equal(guest.call('path_filestat_get', 3, 1, ...named, 64), errno, String(path));
    }
    assert.equal(guest.open(3, 'file/x'), -54);
    assert.equal(guest.call('path_filestat_get', 3, 1, 131_070, 10, 64), 21);
    const fd = guest.open(3, 'file');
    assert.equal(guest.open(fd, 'x'), -54);
    assert.deepEqual(guest.trips, []);
    guest.wasi.close();
  });

  it('does not open a pipe, which would wait for ever', {
    skip: process.platform === 'win32',
  }, () => {
    const { guest, root } = createGuest();
    execFileSync('mkfifo', [join(root, 'pipe')]);
    assert.equal(guest.open(3, 'pipe'), -2);
    guest.wasi.close();
  });
});

describe('what node:wasi gave one guest', () => {
  it('is not seen by another in the gaps of its results', () => {
    const { guest, root } = createGuest();
    const other = new TestGuest({ preopens: [mount(root, '/')] });
    guest.call('fd_filestat_get', 3, 64);
    assert.equal(other.call('fd_fdstat_get', 3, 64), 0);
    const gaps = [65, 68, 69, 70, 71];
    assert.deepEqual(
      gaps.map((at) => other.bytes[at]),
      gaps.map(() => 0),
    );
    assert.equal(other.call('fd_filestat_get', 3, 64), 0);
    assert.ok(other.bytes.subarray(81, 88).every((byte) => byte === 0));
    guest.wasi.close();
    other.wasi.close();
  });

  it('is not seen by another in the gaps of a list of names', () => {
    const { guest, root } = createGuest();
    writeFileSync(join(root, 'file'), Buffer.alloc(4096, 0xab));
    const reader = new TestGuest({ preopens: [mount(root, '/data')] });
    reader.read(reader.open(3, 'file'), 4096);
    assert.equal(guest.call('fd_readdir', 3, 4096, 4096, 0n, 0), 0);
    assert.ok(!guest.bytes.subarray(4096, 4096 + guest.u32(0)).includes(0xab));
    guest.wasi.close();
    reader.wasi.close();
  });
});

it('a guest that is closed twice is closed', () => {
  const { guest } = createGuest();
  guest.open(3, 'file');
  guest.wasi.close();
  guest.wasi.close();
  assert.equal(guest.call('fd_close', 3), 8);
  const unused = createGuestWasi({
    preopens: [mount(createDirectory(), '/')],
    output: { maxLines: 1, maxLineBytes: 1 },
    outputSink: () => {},
    remainingMs: () => 1,
    checkDeadline: () => {},
    isOver: () => false,
    trip: assert.fail,
  });
  unused.close();
});
