/**
 * The functions of WASI that have to do with neither descriptors nor paths. A guest has no
 * arguments, no environment and no sockets, and cannot signal the process.
 */
import { randomFillSync } from 'node:crypto';
import { ERRNO, type Errno } from './errno.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { WasiFunctions, WasiState } from './wasi-state.ts';

/** Those two that there are; the processor times of the process are not a guest's business. */
export const CLOCK = { realtime: 0, monotonic: 1 } as const;

const NANOSECONDS_PER_MS = 1_000_000n;
/** About 30 us of work between two looks at the time left. */
const RANDOM_CHUNK_BYTES = 65_536;

export const SYSTEM_FUNCTIONS: WasiFunctions = {
  args_get: () => ERRNO.success,
  args_sizes_get: writeNone,
  environ_get: () => ERRNO.success,
  environ_sizes_get: writeNone,
  clock_res_get: ({ memory }: WasiState, clock: number, out: number) => {
    if (clock === CLOCK.realtime) return memory.writeU64(out, NANOSECONDS_PER_MS);
    return clock === CLOCK.monotonic ? memory.writeU64(out, 1n) : ERRNO.inval;
  },
  clock_time_get: ({ memory }: WasiState, clock: number, _precision: bigint, out: number) =>
    clock === CLOCK.realtime || clock === CLOCK.monotonic
      ? memory.writeU64(out, readClock(clock))
      : ERRNO.inval,
  random_get: ({ memory, remainingMs }: WasiState, out: number, length: number) =>
    fillRandom(memory, out >>> 0, length >>> 0, remainingMs),
  sched_yield: () => ERRNO.success,
  // Node's own would send the signal to the whole process.
  proc_raise: () => ERRNO.nosys,
  sock_accept: refuseSocket,
  sock_recv: refuseSocket,
  sock_send: refuseSocket,
  sock_shutdown: refuseSocket,
};

/** In nanoseconds. */
export function readClock(clock: number): bigint {
  return clock === CLOCK.realtime
    ? BigInt(Date.now()) * NANOSECONDS_PER_MS
    : process.hrtime.bigint();
}

function writeNone({ memory }: WasiState, count: number, bytes: number): Errno {
  return memory.writeU32(count, 0) || memory.writeU32(bytes, 0);
}

function refuseSocket({ descriptors }: WasiState, fd: number): Errno {
  return descriptors.get(fd) === undefined ? ERRNO.badf : ERRNO.notsock;
}

function fillRandom(
  memory: GuestMemory,
  out: number,
  length: number,
  remainingMs: () => number,
): Errno {
  const bytes = memory.bytes(out, length);
  if (bytes === null) return ERRNO.fault;
  for (let at = 0; at < length; at += RANDOM_CHUNK_BYTES) {
    if (at > 0 && remainingMs() <= 0) return ERRNO.canceled;
    randomFillSync(bytes, at, Math.min(RANDOM_CHUNK_BYTES, length - at));
  }
  return ERRNO.success;
}
