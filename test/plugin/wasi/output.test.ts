/** What guests print: lines, bounds, escapes. Nothing of it reaches the process's own output. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createGuestWasi } from '../../../src/plugin/wasi/guest-wasi.ts';
import { WASI_TYPES } from '../../../src/plugin/wasi/wasi-types.ts';
import { TestGuest } from './test-guest.ts';

describe('stdout and stderr', () => {
  it('become lines of their own', () => {
    const guest = new TestGuest();
    assert.equal(guest.print(1, 'one\ntw'), 0);
    assert.equal(guest.u32(0), 6);
    guest.print(2, 'warning\r\n');
    guest.print(1, 'o\n\nGrüße');
    assert.deepEqual(guest.lines, ['stdout: one', 'stderr: warning', 'stdout: two', 'stdout: ']);
    guest.wasi.end();
    assert.equal(guest.lines.at(-1), 'stdout: Grüße');
    guest.wasi.end();
    assert.equal(guest.lines.length, 5);
  });

  it('are gathered from many buffers', () => {
    const guest = new TestGuest();
    const first = guest.text('ab', 1024);
    const second = guest.text('c\nd', 2048);
    const vectors = guest.vectors(first, [0, 0], second);
    assert.equal(guest.call('fd_write', 1, ...vectors, 0), 0);
    assert.equal(guest.u32(0), 5);
    assert.deepEqual(guest.lines, ['stdout: abc']);
  });

  it('reach the sink as printable text', () => {
    const guest = new TestGuest();
    guest.print(1, 'a\u001b[31mred\u0007\u2028\u202e\tb\n');
    guest.print(1, Buffer.from([0x61, 0xff, 0x0a]));
    assert.deepEqual(guest.lines, [
      'stdout: a\\u001b[31mred\\u0007\\u2028\\u202e\\tb',
      'stdout: a\ufffd',
    ]);
  });

  it('are cut to the longest line, not through a character', () => {
    const guest = new TestGuest({ output: { maxLines: 10, maxLineBytes: 7 } });
    guest.print(1, 'äää');
    guest.print(1, 'ä12345');
    guest.print(1, '67890\nshort\n');
    guest.print(1, 'äää\n');
    assert.deepEqual(guest.lines, ['stdout: äää +11', 'stdout: short', 'stdout: äää']);
  });

  it('end the call with a line too many', () => {
    const guest = new TestGuest({ output: { maxLines: 3, maxLineBytes: 100 } });
    guest.print(1, '1\n2\n');
    guest.print(2, '3\n');
    assert.equal(guest.trips.length, 0);
    guest.print(1, '4\n5\n6');
    guest.print(1, '7\n');
    guest.wasi.end();
    assert.equal(guest.lines.length, 3);
    assert.deepEqual(
      guest.trips.map(({ code, details }) => [code, details.limit]),
      [['PLUGIN_LIMIT', 'maxLogLines']],
    );
    guest.wasi.begin();
    assert.equal(guest.print(1, 'again\n'), 0);
    assert.equal(guest.lines.at(-1), 'stdout: again');
  });

  it('count a last line without a newline', () => {
    const guest = new TestGuest({ output: { maxLines: 1, maxLineBytes: 100 } });
    guest.print(1, 'out');
    guest.print(2, 'err');
    guest.wasi.end();
    assert.deepEqual(guest.lines, ['stdout: out']);
  });

  it('do not carry a half line into the next call', () => {
    const guest = new TestGuest();
    guest.print(1, 'half');
    guest.wasi.begin();
    guest.print(1, 'whole\n');
    assert.deepEqual(guest.lines, ['stdout: whole']);
  });

  it('take a part of a large write, and all of it in several', () => {
    const guest = new TestGuest({ output: { maxLines: 10, maxLineBytes: 1 } });
    guest.memory.grow(10);
    const length = 600_000;
    let written = 0;
    for (let rounds = 0; written < length && rounds < 10; rounds++) {
      assert.equal(guest.call('fd_write', 1, ...guest.vectors([2048, length - written]), 0), 0);
      assert.ok(guest.u32(0) <= 262_144);
      written += guest.u32(0);
    }
    assert.equal(written, length);
    guest.wasi.end();
    assert.deepEqual(guest.lines, ['stdout: \\u0000 +599999']);
  });

  it('end the call when the sink throws', () => {
    const guest = new TestGuest({
      outputSink: () => {
        throw new Error('log is gone');
      },
    });
    assert.notEqual(guest.print(1, 'line\n'), 0);
    assert.equal(guest.trips[0]?.code, 'INTERNAL');
  });
});

describe('pointers of a guest', () => {
  const BEYOND = 131_073;

  it('are refused out of bounds', () => {
    const guest = new TestGuest();
    guest.text('x\n');
    const good = guest.vectors([1024, 2]);
    assert.equal(guest.call('fd_write', 1, ...good, 131_069), 21, 'where the count goes');
    assert.equal(guest.call('fd_write', 1, 131_068, 1, 0), 21, 'the list');
    assert.equal(guest.call('fd_write', 1, -8, 1, 0), 21, 'a list at the end of all');
    assert.equal(guest.call('fd_write', 1, ...guest.vectors([1024, BEYOND]), 0), 21, 'a length');
    assert.equal(guest.call('fd_write', 1, ...guest.vectors([-4 >>> 0, 8]), 0), 21, 'a sum');
    assert.equal(guest.call('fd_write', 1, ...guest.vectors([1024, 2], [BEYOND, 0]), 0), 21);
    assert.equal(guest.call('fd_write', 1, 256, 1025, 0), 28, 'a list too long');
    assert.equal(guest.call('fd_write', 1, 256, -1, 0), 28);
    assert.deepEqual(guest.lines, []);
    assert.deepEqual(guest.trips, []);
    assert.equal(guest.call('fd_write', 1, ...guest.vectors([131_072, 0]), 0), 0);
  });

  it('are out of bounds of a memory that is not there yet', () => {
    const { functions } = createGuestWasi({
      preopens: [],
      output: { maxLines: 10, maxLineBytes: 100 },
      outputSink: () => {},
      remainingMs: () => 1000,
      checkDeadline: () => {},
      isOver: () => false,
      trip: assert.fail,
    });
    assert.equal(functions.args_sizes_get?.(null, 0, 4), 21);
    assert.equal(functions.fd_write?.(null, 1, 0, 1, 0), 21);
  });

  it('are good in pages that were added', () => {
    const guest = new TestGuest();
    assert.equal(guest.call('clock_time_get', 1, 0n, 200_000), 21);
    guest.memory.grow(8);
    assert.equal(guest.call('clock_time_get', 1, 0n, 200_000), 0);
    assert.ok(guest.u64(200_000) > 0n);
    guest.memory.grow(1);
    assert.equal(guest.call('args_sizes_get', 0, 0), 0);
    guest.memory.grow(1);
    assert.equal(guest.print(1, 'x\n'), 0);
    assert.deepEqual(guest.lines, ['stdout: x']);
  });

  it('never make a function throw', () => {
    const guest = new TestGuest();
    const wild = [0, 1, -1, 3, 131_071, 0x7fff_ffff, -0x8000_0000];
    for (const [name, work] of Object.entries(guest.wasi.functions)) {
      if (name === 'proc_exit') continue;
      for (const value of wild) {
        const values = Array.from({ length: 9 }, (_, index) =>
          isLong(name, index) ? BigInt(value) : value,
        );
        const errno = work(null, ...values);
        assert.equal(typeof errno, 'number', `${name}(${value})`);
      }
    }
    assert.deepEqual(guest.trips, []);
  });
});

function isLong(name: string, index: number): boolean {
  return WASI_TYPES.get(name)?.params[index] === 'i64';
}
