/**
 * Files and directories through node:wasi, which is set up when a guest first uses one. It works on
 * a memory of our own: it never sees a guest's memory, pointers or paths, only what was checked
 * before (guest-memory.ts, resolve-path.ts). Its descriptors 0, 1 and 2 are the process's and are
 * never used; those of its directories stay open until {@link NodeFiles.close}.
 */
import { WASI } from 'node:wasi';
import type { DirectoryDescriptor, FileDescriptor } from './descriptors.ts';
import { ERRNO, type Errno } from './errno.ts';
import { GuestMemory, MAX_TRANSFER_BYTES } from './guest-memory.ts';
import type { Mount } from './mounts.ts';
import { MAX_PATH_BYTES, type ResolvedPath } from './resolve-path.ts';
import { READING_RIGHTS } from './rights.ts';
import type { WasiName } from './wasi-types.ts';

type WasiValue = number | bigint;
type NodeFunctions = Readonly<Record<WasiName, (...values: WasiValue[]) => Errno>>;
/** Descriptor of the mount, pointer and length. */
type PathValues = readonly [mount: number, pointer: number, length: number];
type OpenDescriptor = FileDescriptor | DirectoryDescriptor;

/** How far a read or a write came. */
export interface Moved {
  readonly errno: Errno;
  readonly bytes: number;
}

/** Where things are in the memory that node:wasi works on. */
const PLACE = { result: 0, vector: 64, first: 4096, second: 8192, data: 65_536 } as const;
const MAX_RESULT_BYTES = 64;
const PAGE_BYTES = 65_536;
/** After the process's stdin, stdout and stderr. */
const FIRST_MOUNT = 3;

/** One for all guests of this thread: calls are synchronous, and nothing is kept between two. */
let scratch: { readonly memory: WebAssembly.Memory; readonly access: GuestMemory } | null = null;

export class NodeFiles {
  readonly mounts: readonly Mount[];
  readonly #open = new Set<number>();
  #node: NodeFunctions | null = null;

  constructor(mounts: readonly Mount[]) {
    this.mounts = mounts;
  }

  /** A function that brings nothing back. */
  run(name: WasiName, ...values: WasiValue[]): Errno {
    return this.#functions()[name](...values);
  }

  /** A function whose last parameter says where its result goes; the bytes are good until the next call. */
  query(name: WasiName, resultBytes: number, ...values: WasiValue[]): Uint8Array | Errno {
    const node = this.#functions();
    // Gaps between the fields are not written, and another guest's result may stand there.
    at(PLACE.result, MAX_RESULT_BYTES).fill(0);
    const errno = node[name](...values, PLACE.result);
    return errno === ERRNO.success ? at(PLACE.result, resultBytes) : errno;
  }

  /** As {@link query}, for a function that fills a buffer and says how many bytes it used. */
  queryData(
    name: WasiName,
    values: readonly WasiValue[],
    length: number,
    ...more: WasiValue[]
  ): Uint8Array | Errno {
    // Entries of a directory have gaps too, where content that another guest read may stand.
    at(PLACE.data, length).fill(0);
    const used = this.query(name, 4, ...values, PLACE.data, length, ...more);
    return typeof used === 'number' ? used : at(PLACE.data, firstU32(used));
  }

  /** Number of an open descriptor in node:wasi. */
  numberOf(descriptor: OpenDescriptor): number {
    if (descriptor.kind === 'file') return descriptor.inner;
    return descriptor.inner ?? FIRST_MOUNT + descriptor.mount.index;
  }

  /** A path's values among the parameters of a function; a second one has its own place. */
  pathValues({ mount, parts }: ResolvedPath, place: 'first' | 'second' = 'first'): PathValues {
    const length = put(PLACE[place], parts.length === 0 ? '.' : parts.join('/'));
    return [FIRST_MOUNT + mount.index, PLACE[place], length];
  }

  /** As {@link pathValues}, for what a symbolic link is to say. */
  textValues(text: string): readonly [pointer: number, length: number] {
    return [PLACE.first, put(PLACE.first, text)];
  }

  /** Fills the guest's buffers as far as it goes. */
  read(descriptor: FileDescriptor, vectors: readonly Uint8Array[], offset: bigint | null): Moved {
    const moved = this.#move('read', descriptor, vectors, offset);
    let from: number = PLACE.data;
    let left = moved.bytes;
    for (const bytes of vectors) {
      const length = Math.min(left, bytes.length);
      bytes.set(at(from, length));
      from += length;
      left -= length;
    }
    return moved;
  }

  write(descriptor: FileDescriptor, vectors: readonly Uint8Array[], offset: bigint | null): Moved {
    let to: number = PLACE.data;
    for (const bytes of vectors) {
      at(to, bytes.length).set(bytes);
      to += bytes.length;
    }
    return this.#move('write', descriptor, vectors, offset);
  }

  /** A new descriptor of node:wasi, or minus the error number. */
  open(
    path: ResolvedPath,
    openFlags: number,
    base: bigint,
    inheriting: bigint,
    flags: number,
  ): number {
    const [mount, pointer, length] = this.pathValues(path);
    const values = [mount, 0, pointer, length, openFlags, base, inheriting, flags];
    const opened = this.query('path_open', 4, ...values);
    if (typeof opened === 'number') return -opened;
    const inner = firstU32(opened);
    this.#open.add(inner);
    return inner;
  }

  /** Closes what {@link open} opened; a mount itself stays. */
  release(inner: number | null): Errno {
    return inner !== null && this.#open.delete(inner) ? this.run('fd_close', inner) : ERRNO.success;
  }

  /** Gives every descriptor back to the system. */
  close(): void {
    const node = this.#node;
    this.#node = null;
    if (node === null) return;
    for (const inner of this.#open) node.fd_close(inner);
    this.#open.clear();
    for (const { index } of this.mounts) node.fd_close(FIRST_MOUNT + index);
  }

  #move(
    kind: 'read' | 'write',
    descriptor: FileDescriptor,
    vectors: readonly Uint8Array[],
    offset: bigint | null,
  ): Moved {
    const { access } = scratchMemory();
    const length = vectors.reduce((sum, bytes) => sum + bytes.length, 0);
    access.writeU32(PLACE.vector, PLACE.data);
    access.writeU32(PLACE.vector + 4, length);
    const vector = [descriptor.inner, PLACE.vector, 1];
    const moved =
      offset === null
        ? this.query(`fd_${kind}`, 4, ...vector)
        : this.query(`fd_p${kind}`, 4, ...vector, offset);
    return typeof moved === 'number'
      ? { errno: moved, bytes: 0 }
      : { errno: ERRNO.success, bytes: firstU32(moved) };
  }

  #functions(): NodeFunctions {
    this.#node ??= openMounts(this.mounts);
    return this.#node;
  }
}

function openMounts(mounts: readonly Mount[]): NodeFunctions {
  // Names that keep the order in which they are written, which gives them their numbers.
  const preopens = Object.fromEntries(mounts.map(({ index, root }) => [`/${index}`, root]));
  const wasi = new WASI({ version: 'preview1', args: [], env: {}, preopens });
  wasi.initialize({ exports: { memory: scratchMemory().memory } });
  const node = wasi.wasiImport as NodeFunctions;
  for (const { index, readOnly } of mounts) {
    if (readOnly) takeWritingRights(node, FIRST_MOUNT + index);
  }
  return node;
}

/** A second lock beside the checks of path-functions.ts. */
function takeWritingRights(node: NodeFunctions, mount: number): void {
  const stat = at(PLACE.result, MAX_RESULT_BYTES);
  const rights = new DataView(stat.buffer, stat.byteOffset);
  const errno =
    node.fd_fdstat_get(mount, PLACE.result) ||
    node.fd_fdstat_set_rights(
      mount,
      rights.getBigUint64(8, true) & READING_RIGHTS,
      rights.getBigUint64(16, true) & READING_RIGHTS,
    );
  if (errno !== ERRNO.success) throw new Error(`rights cannot be taken away: error ${errno}`);
}

function put(pointer: number, text: string): number {
  return Buffer.from(at(pointer, MAX_PATH_BYTES).buffer).write(text, pointer, MAX_PATH_BYTES);
}

function at(pointer: number, length: number): Uint8Array<ArrayBuffer> {
  return scratchMemory().access.bytes(pointer, length) as Uint8Array<ArrayBuffer>;
}

function firstU32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

function scratchMemory(): NonNullable<typeof scratch> {
  if (scratch === null) {
    const pages = (PLACE.data + MAX_TRANSFER_BYTES) / PAGE_BYTES;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const access = new GuestMemory();
    access.attach(memory);
    scratch = { memory, access };
  }
  return scratch;
}
