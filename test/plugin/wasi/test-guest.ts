/**
 * Helpers of WASI's tests. In most of them the test plays the guest: it calls the functions with
 * pointers into a memory of its own, as a linked module would.
 */
import { existsSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { after } from 'node:test';
import type { ServerError } from '../../../src/errors.ts';
import {
  createGuestWasi,
  type GuestWasi,
  type GuestWasiOptions,
} from '../../../src/plugin/wasi/guest-wasi.ts';
import type { Preopen } from '../../../src/plugin/wasi/mounts.ts';
import type { WasiName } from '../../../src/plugin/wasi/wasi-types.ts';

/** To read, seek, sync, tell, advise, list and stat: what C's library asks for. */
export const READ: bigint = bits(1, 2, 4, 5, 7, 14, 21);
/** To change a file or what is in a directory. */
export const CHANGE: bigint = bits(0, 6, 8, 9, 10, 11, 12, 16, 17, 19, 20, 22, 23, 24, 25, 26);
/** To write, and what goes with it. */
export const WRITE: bigint = bits(0, 2, 4, 5, 6, 8, 21, 22, 23);

function bits(...numbers: readonly number[]): bigint {
  return numbers.reduce((all, bit) => all | (1n << BigInt(bit)), 0n);
}

export class TestGuest {
  readonly memory: WebAssembly.Memory = new WebAssembly.Memory({ initial: 2, maximum: 64 });
  readonly lines: string[] = [];
  readonly trips: ServerError[] = [];
  readonly wasi: GuestWasi;
  deadlineChecks = 0;

  constructor(options: Partial<GuestWasiOptions> = {}) {
    this.wasi = createGuestWasi({
      preopens: [],
      output: { maxLines: 10, maxLineBytes: 100 },
      outputSink: (stream, line, truncatedBytes) => {
        this.lines.push(`${stream}: ${line}${truncatedBytes > 0 ? ` +${truncatedBytes}` : ''}`);
      },
      remainingMs: () => 1000,
      checkDeadline: () => {
        this.deadlineChecks++;
      },
      isOver: () => false,
      trip: (error) => this.trips.push(error),
      ...options,
    });
    this.wasi.attach(this.memory);
    this.wasi.begin();
  }

  call(name: WasiName, ...values: (number | bigint)[]): number | undefined {
    return this.wasi.functions[name]?.(null, ...values);
  }

  get bytes(): Buffer {
    return Buffer.from(this.memory.buffer);
  }

  u32(at: number): number {
    return this.bytes.readUInt32LE(at);
  }

  u64(at: number): bigint {
    return this.bytes.readBigUInt64LE(at);
  }

  /** Pointer and length of a text, put there. */
  text(text: string | Uint8Array, at = 1024): [number, number] {
    const bytes = Buffer.from(text as string);
    this.bytes.set(bytes, at);
    return [at, bytes.length];
  }

  /** Pointer and count of a list of buffers. */
  vectors(...buffers: readonly (readonly [number, number])[]): [number, number] {
    buffers.forEach(([pointer, length], index) => {
      this.bytes.writeUInt32LE(pointer, 256 + index * 8);
      this.bytes.writeUInt32LE(length, 260 + index * 8);
    });
    return [256, buffers.length];
  }

  print(fd: number, text: string | Uint8Array): number | undefined {
    return this.call('fd_write', fd, ...this.vectors(this.text(text)), 0);
  }

  /** The new descriptor, or minus the error number. */
  open(fd: number, path: string, options: OpenOptions = {}): number {
    const { flags = 0, base = READ, inheriting = READ, follow = true } = options;
    const named = this.text(path);
    const lookup = follow ? 1 : 0;
    const errno = this.call('path_open', fd, lookup, ...named, flags, base, inheriting, 0, 0);
    return errno === 0 ? this.u32(0) : -(errno as number);
  }

  read(fd: number, length = 100): string {
    const errno = this.call('fd_read', fd, ...this.vectors([2048, length]), 0);
    return errno === 0 ? this.bytes.toString('utf8', 2048, 2048 + this.u32(0)) : `errno ${errno}`;
  }

  /** Names in a directory. */
  list(fd: number): string[] {
    this.call('fd_readdir', fd, 4096, 4096, 0n, 0);
    const names: string[] = [];
    for (let at = 4096; at < 4096 + this.u32(0); at += 24 + this.u32(at + 16)) {
      names.push(this.bytes.toString('utf8', at + 24, at + 24 + this.u32(at + 16)));
    }
    return names.filter((name) => name !== '.' && name !== '..').sort();
  }
}

export interface OpenOptions {
  /** 1 create, 2 directory, 4 exclusive, 8 truncate. */
  readonly flags?: number;
  readonly base?: bigint;
  readonly inheriting?: bigint;
  readonly follow?: boolean;
}

/** An empty directory, removed when the tests of the file are done. */
export function createDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'plugind-wasi-')));
  after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function mount(hostPath: string, guestPath: string, readOnly = false): Preopen {
  return { hostPath, guestPath, readOnly };
}

/** Whether the system lists what this process has open. */
export const CAN_LIST_DESCRIPTORS: boolean = existsSync('/proc/self/fd');

/**
 * Descriptors of this process that lead to this directory or into it. The process's others come and
 * go by themselves: tsx, the test runner and Node's own threads open and close files and pipes.
 */
export function openIn(directory: string): readonly string[] {
  return readdirSync('/proc/self/fd')
    .map(targetOf)
    .filter((target) => target === directory || target.startsWith(directory + sep));
}

/** Empty for the descriptor that the listing itself used. */
function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}
