/**
 * `poll_oneoff`, which is how guests sleep: blocks the thread until one of the guest's timers is
 * due, but never past the call's deadline. Descriptors are always ready: all there are are files,
 * output and an input at its end.
 */
import type { Descriptor } from './descriptors.ts';
import { ERRNO, type Errno } from './errno.ts';
import { CLOCK, readClock } from './system-functions.ts';
import type { WasiState } from './wasi-state.ts';

const MAX_SUBSCRIPTIONS = 1024;
const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const EVENT = { clock: 0, read: 1, write: 2 } as const;
const ABSOLUTE_TIME = 1;
const HANG_UP = 1;
const NANOSECONDS_PER_MS = 1e6;

/** Nobody else has it, so nobody wakes us: waiting on it is sleeping. */
const NEVER_WOKEN = new Int32Array(new SharedArrayBuffer(4));

interface PollEvent {
  readonly userdata: bigint;
  readonly type: number;
  readonly errno: Errno;
  readonly bytes: bigint;
  readonly flags: number;
}

interface Timer {
  readonly userdata: bigint;
  readonly clock: number;
  readonly due: bigint;
}

export function pollOneoff(
  { memory, descriptors, remainingMs }: WasiState,
  subscriptions: number,
  events: number,
  count: number,
  eventCount: number,
): Errno {
  const wanted = count >>> 0;
  if (wanted === 0 || wanted > MAX_SUBSCRIPTIONS) return ERRNO.inval;
  if (!memory.has(subscriptions, wanted * SUBSCRIPTION_BYTES)) return ERRNO.fault;
  if (!memory.has(events, wanted * EVENT_BYTES) || !memory.has(eventCount, 4)) return ERRNO.fault;
  const ready: PollEvent[] = [];
  const timers: Timer[] = [];
  for (let index = 0; index < wanted; index++) {
    const at = (subscriptions >>> 0) + index * SUBSCRIPTION_BYTES;
    const view = memory.view(at, SUBSCRIPTION_BYTES);
    const subscription = readSubscription(view, (fd) => descriptors.get(fd));
    if ('due' in subscription) timers.push(subscription);
    else ready.push(subscription);
  }
  ready.push(...(ready.length === 0 ? sleep(timers, remainingMs) : takeDue(timers)));
  ready.forEach((event, index) => {
    writeEvent(memory.view((events >>> 0) + index * EVENT_BYTES, EVENT_BYTES), event);
  });
  return memory.writeU32(eventCount, ready.length);
}

/** Nothing is due when the call's time was over first. */
function sleep(timers: readonly Timer[], remainingMs: () => number): PollEvent[] {
  for (;;) {
    const due = takeDue(timers);
    const left = remainingMs();
    if (due.length > 0 || left <= 0) return due;
    const untilDue = timers.map(({ clock, due }) => Number(due - readClock(clock)));
    const nextMs = Math.min(...untilDue) / NANOSECONDS_PER_MS;
    Atomics.wait(NEVER_WOKEN, 0, 0, Math.min(Math.max(nextMs, 0), left));
  }
}

function takeDue(timers: readonly Timer[]): PollEvent[] {
  return timers
    .filter(({ clock, due }) => readClock(clock) >= due)
    .map(({ userdata }) => ({ ...NO_BYTES, userdata, type: EVENT.clock, errno: ERRNO.success }));
}

const NO_BYTES = { bytes: 0n, flags: 0 } as const;

function readSubscription(
  view: DataView,
  find: (fd: number) => Descriptor | undefined,
): Timer | PollEvent {
  const userdata = view.getBigUint64(0, true);
  const type = view.getUint8(8);
  if (type === EVENT.clock) {
    const clock = view.getUint32(16, true);
    const timeout = view.getBigUint64(24, true);
    const isAbsolute = (view.getUint16(40, true) & ABSOLUTE_TIME) !== 0;
    if (clock !== CLOCK.realtime && clock !== CLOCK.monotonic) {
      return { ...NO_BYTES, userdata, type, errno: ERRNO.inval };
    }
    return { userdata, clock, due: isAbsolute ? timeout : readClock(clock) + timeout };
  }
  if (type !== EVENT.read && type !== EVENT.write) {
    return { ...NO_BYTES, userdata, type, errno: ERRNO.inval };
  }
  return { userdata, type, ...readiness(find(view.getUint32(16, true)), type) };
}

function readiness(
  descriptor: Descriptor | undefined,
  type: number,
): Pick<PollEvent, 'errno' | 'bytes' | 'flags'> {
  if (descriptor?.kind === 'input' && type === EVENT.read) {
    return { errno: ERRNO.success, bytes: 0n, flags: HANG_UP };
  }
  const isReady =
    descriptor?.kind === 'file' || (descriptor?.kind === 'output' && type === EVENT.write);
  return isReady
    ? { errno: ERRNO.success, bytes: 1n, flags: 0 }
    : { ...NO_BYTES, errno: ERRNO.badf };
}

function writeEvent(view: DataView, event: PollEvent): void {
  view.setBigUint64(0, event.userdata, true);
  view.setUint16(8, event.errno, true);
  view.setUint8(10, event.type);
  view.setBigUint64(16, event.bytes, true);
  view.setUint16(24, event.flags, true);
}
