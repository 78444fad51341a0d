/** What a guest learns of its surroundings (little), how it sleeps, and how it exits. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRNO } from '../../../src/plugin/wasi/errno.ts';
import type { WasiName } from '../../../src/plugin/wasi/wasi-types.ts';
import { TestGuest } from './test-guest.ts';

const SUBSCRIPTIONS = 4096;
const EVENTS = 8192;

interface Subscription {
  readonly type: number;
  readonly clock?: number;
  readonly fd?: number;
  readonly timeout?: bigint;
  readonly isAbsolute?: boolean;
}

/** Puts subscriptions there, the index of each as its data, and polls. */
function poll(guest: TestGuest, ...wanted: Subscription[]): (number | bigint)[][] | string {
  wanted.forEach((one, index) => {
    const at = SUBSCRIPTIONS + index * 48;
    guest.bytes.fill(0, at, at + 48);
    guest.bytes.writeBigUInt64LE(BigInt(index), at);
    guest.bytes.writeUInt8(one.type, at + 8);
    guest.bytes.writeUInt32LE(one.clock ?? one.fd ?? 0, at + 16);
    guest.bytes.writeBigUInt64LE(one.timeout ?? 0n, at + 24);
    guest.bytes.writeUInt16LE(one.isAbsolute === true ? 1 : 0, at + 40);
  });
  const errno = guest.call('poll_oneoff', SUBSCRIPTIONS, EVENTS, wanted.length, 0);
  if (errno !== 0) return `errno ${errno}`;
  return Array.from({ length: guest.u32(0) }, (_, index) => {
    const at = EVENTS + index * 32;
    const { bytes } = guest;
    return [bytes.readBigUInt64LE(at), bytes.readUInt16LE(at + 8), bytes.readUInt8(at + 10)];
  });
}

describe('a guest', () => {
  it('has no arguments and no environment', () => {
    const guest = new TestGuest();
    for (const name of ['args', 'environ'] as const) {
      guest.bytes.fill(0xff, 0, 16);
      assert.equal(guest.call(`${name}_sizes_get`, 0, 8), 0);
      assert.deepEqual([guest.u32(0), guest.u32(8)], [0, 0]);
      assert.equal(guest.call(`${name}_get`, 0, 8), 0);
    }
  });

  it('reads the time', () => {
    const guest = new TestGuest();
    const before = BigInt(Date.now()) * 1_000_000n;
    assert.equal(guest.call('clock_time_get', 0, 1n, 8), 0);
    assert.ok(guest.u64(8) >= before && guest.u64(8) < before + 60_000_000_000n);
    assert.equal(guest.call('clock_time_get', 1, 1n, 8), 0);
    assert.ok(guest.u64(8) <= process.hrtime.bigint());
    for (const clock of [2, 3, 4, -1]) {
      assert.equal(guest.call('clock_time_get', clock, 1n, 8), 28);
      assert.equal(guest.call('clock_res_get', clock, 8), 28);
    }
    assert.equal(guest.call('clock_res_get', 0, 8), 0);
    assert.equal(guest.u64(8), 1_000_000n);
  });

  it('gets random bytes, and only there', () => {
    const guest = new TestGuest();
    assert.equal(guest.call('random_get', 1024, 100_000), 0);
    const { bytes } = guest;
    assert.ok(bytes.subarray(0, 1024).every((byte) => byte === 0));
    assert.ok(bytes.subarray(101_024).every((byte) => byte === 0));
    assert.ok(new Set(bytes.subarray(1024, 101_024)).size === 256);
    assert.ok(bytes.subarray(100_000, 101_024).some((byte) => byte !== 0));
    assert.equal(guest.call('random_get', 1024, 131_072), 21);
    assert.equal(guest.call('random_get', 131_072, 0), 0);
  });

  it('gets no more random bytes when its time is over', () => {
    let looks = 0;
    const guest = new TestGuest({ remainingMs: () => 1 - looks++ });
    guest.memory.grow(30);
    assert.equal(guest.call('random_get', 0, 32 * 65_536), 11);
    assert.ok(guest.bytes.subarray(3 * 65_536).every((byte) => byte === 0));
  });

  it('has no sockets, and signals nobody', () => {
    const guest = new TestGuest();
    for (const name of ['sock_accept', 'sock_recv', 'sock_send', 'sock_shutdown'] as const) {
      assert.equal(guest.call(name, 0, 0, 0, 0, 0, 0), 57);
      assert.equal(guest.call(name, 3, 0, 0, 0, 0, 0), 8);
    }
    assert.equal(guest.call('proc_raise', 9), 52);
    assert.equal(guest.call('sched_yield'), 0);
  });

  it('has its deadline checked by every function', () => {
    const guest = new TestGuest();
    let checks = 0;
    for (const name of Object.keys(guest.wasi.functions) as WasiName[]) {
      if (name === 'proc_exit') continue;
      guest.call(name, 9, 9, 9, 9, 9, 9, 9, 9, 9);
      checks++;
      assert.equal(guest.deadlineChecks, checks, name);
    }
  });

  it('does nothing in a call that is over', () => {
    const guest = new TestGuest({ isOver: () => true });
    assert.equal(guest.call('clock_time_get', 1, 0n, 8), ERRNO.canceled);
    assert.equal(guest.u64(8), 0n);
  });
});

describe('poll_oneoff', () => {
  it('sleeps until the first timer is due', () => {
    const guest = new TestGuest();
    const start = performance.now();
    const events = poll(
      guest,
      { type: 0, clock: 1, timeout: 5_000_000_000n },
      { type: 0, clock: 1, timeout: 20_000_000n },
      { type: 0, clock: 0, timeout: 6_000_000_000n },
    );
    assert.deepEqual(events, [[1n, 0, 0]]);
    const took = performance.now() - start;
    assert.ok(took >= 20 && took < 1000, `${took} ms`);
  });

  it('takes points in time, also past ones', () => {
    const guest = new TestGuest();
    const due = process.hrtime.bigint() + 10_000_000n;
    assert.deepEqual(poll(guest, { type: 0, clock: 1, timeout: due, isAbsolute: true }), [
      [0n, 0, 0],
    ]);
    assert.ok(process.hrtime.bigint() >= due);
    assert.deepEqual(poll(guest, { type: 0, clock: 0, timeout: 1n, isAbsolute: true }), [
      [0n, 0, 0],
    ]);
  });

  it('sleeps no longer than the call may', () => {
    const endsAt = performance.now() + 30;
    const guest = new TestGuest({ remainingMs: () => endsAt - performance.now() });
    for (const timeout of [60_000_000_000n, 0xffff_ffff_ffff_ffffn]) {
      assert.deepEqual(poll(guest, { type: 0, clock: 1, timeout }), []);
    }
    assert.ok(performance.now() >= endsAt);
    assert.ok(performance.now() < endsAt + 1000);
    assert.equal(guest.deadlineChecks, 2);
  });

  it('says that descriptors are ready, at once', () => {
    const guest = new TestGuest();
    const events = poll(
      guest,
      { type: 1, fd: 0 },
      { type: 2, fd: 1 },
      { type: 0, clock: 1, timeout: 60_000_000_000n },
      { type: 2, fd: 0 },
      { type: 1, fd: 2 },
      { type: 1, fd: 7 },
      { type: 9 },
      { type: 0, clock: 3 },
    );
    assert.deepEqual(events, [
      [0n, 0, 1],
      [1n, 0, 2],
      [3n, 8, 2],
      [4n, 8, 1],
      [5n, 8, 1],
      [6n, 28, 9],
      [7n, 28, 0],
    ]);
    assert.equal(guest.bytes.readUInt16LE(EVENTS + 24), 1, 'stdin is at its end');
  });

  it('refuses lists that are empty, too long or out of bounds', () => {
    const guest = new TestGuest();
    assert.equal(guest.call('poll_oneoff', 0, 0, 0, 0), 28);
    assert.equal(guest.call('poll_oneoff', 0, 0, 1025, 0), 28);
    assert.equal(guest.call('poll_oneoff', 131_072 - 47, 0, 1, 0), 21);
    assert.equal(guest.call('poll_oneoff', 0, 131_072 - 31, 1, 0), 21);
    assert.equal(guest.call('poll_oneoff', 0, 0, 1, 131_070), 21);
  });
});

describe('descriptors without directories', () => {
  it('are an input at its end and two outputs', () => {
    const guest = new TestGuest();
    assert.equal(guest.read(0), '');
    assert.equal(guest.read(1), 'errno 8');
    assert.equal(guest.read(3), 'errno 8');
    assert.equal(guest.print(0, 'x'), 8);
    assert.equal(guest.print(3, 'x'), 8);
    assert.equal(guest.call('fd_seek', 1, 0n, 0, 0), 70);
    assert.equal(guest.call('fd_tell', 1, 0), 70);
    assert.equal(guest.call('fd_pread', 0, ...guest.vectors([1024, 1]), 0n, 0), 70);
    assert.equal(guest.call('fd_prestat_get', 0, 0), 8);
    assert.equal(guest.call('fd_prestat_get', 3, 0), 8);
    assert.equal(guest.call('fd_filestat_get', 2, 0), 0);
    assert.equal(guest.bytes[16], 2);
    assert.equal(guest.call('fd_filestat_get', 3, 0), 8);
    assert.equal(guest.call('fd_fdstat_set_flags', 1, 4), 0);
    assert.equal(guest.call('fd_readdir', 0, 0, 0, 0n, 0), 54);
    assert.equal(guest.open(0, 'x'), -54);
    assert.equal(guest.open(3, 'x'), -8);
  });

  it('look like a terminal', () => {
    const guest = new TestGuest();
    guest.bytes.fill(0xff, 0, 24);
    assert.equal(guest.call('fd_fdstat_get', 1, 0), 0);
    assert.equal(guest.bytes[0], 2);
    assert.equal(guest.u64(8) & 0x26n, 0n, 'neither seek nor tell nor read');
    assert.equal(guest.u64(8) & 0x40n, 0x40n);
    assert.equal(guest.u64(16), 0n);
    assert.equal(guest.call('fd_fdstat_get', 0, 0), 0);
    assert.equal(guest.u64(8) & 0x42n, 2n);
    assert.equal(guest.call('fd_fdstat_get', 3, 0), 8);
    assert.equal(guest.call('fd_fdstat_get', 1, 131_072 - 23), 21);
  });

  it('may be closed and renumbered, until the next call', () => {
    const guest = new TestGuest();
    assert.equal(guest.call('fd_renumber', 2, 1), 0);
    guest.print(1, 'as stderr\n');
    assert.equal(guest.print(2, 'x'), 8);
    assert.equal(guest.call('fd_close', 1), 0);
    assert.equal(guest.call('fd_close', 1), 8);
    assert.equal(guest.call('fd_renumber', 0, 1), 8);
    assert.equal(guest.print(1, 'x'), 8);
    guest.wasi.begin();
    guest.print(1, 'again\n');
    guest.print(2, 'again\n');
    assert.deepEqual(guest.lines, ['stderr: as stderr', 'stdout: again', 'stderr: again']);
  });
});

describe('proc_exit', () => {
  function thrownBy(work: () => unknown): unknown {
    try {
      return work();
    } catch (thrown) {
      return thrown;
    }
  }

  it('unwinds the guest and is known by its code', () => {
    const guest = new TestGuest();
    assert.equal(guest.wasi.exitCode, null);
    const thrown = thrownBy(() => guest.call('proc_exit', 3));
    assert.ok(guest.wasi.isExit(thrown));
    assert.ok(!guest.wasi.isExit({ name: 'WasiExit' }));
    assert.ok(!guest.wasi.isExit(undefined));
    assert.equal(guest.wasi.exitCode, 3);
    assert.deepEqual(guest.trips, []);
    guest.wasi.begin();
    assert.equal(guest.wasi.exitCode, null);
    thrownBy(() => guest.call('proc_exit', -1));
    assert.equal(guest.wasi.exitCode, 0xffff_ffff);
  });

  it('stays for the rest of the call, whatever the guest catches', () => {
    const guest = new TestGuest();
    thrownBy(() => guest.call('proc_exit', 0));
    assert.ok(guest.wasi.isExit(thrownBy(() => guest.print(1, 'still here\n'))));
    thrownBy(() => guest.call('proc_exit', 5));
    assert.equal(guest.wasi.exitCode, 0);
    assert.deepEqual(guest.lines, []);
  });
});
