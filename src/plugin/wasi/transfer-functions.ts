/**
 * The functions of WASI that move bytes: a guest's output goes to line-output.ts, its input is
 * empty, files are read and written through node-files.ts.
 */
import type { Descriptor, DirectoryDescriptor, FileDescriptor } from './descriptors.ts';
import { ERRNO, type Errno } from './errno.ts';
import { answer } from './fd-functions.ts';
import { MAX_TRANSFER_BYTES } from './guest-memory.ts';
import type { Moved, NodeFiles } from './node-files.ts';
import { resolvePath } from './resolve-path.ts';
import type { WasiFunctions, WasiState } from './wasi-state.ts';

type Vectors = readonly Uint8Array[];
type Transfer = (wasi: WasiState, descriptor: Descriptor, vectors: Vectors) => Moved;

export const TRANSFER_FUNCTIONS: WasiFunctions = {
  fd_read: (wasi: WasiState, fd: number, at: number, count: number, out: number) =>
    transfer(wasi, fd, at, count, out, read),
  fd_pread: (wasi: WasiState, fd: number, at: number, count: number, offset: bigint, out: number) =>
    transfer(wasi, fd, at, count, out, ({ files }, descriptor, vectors) =>
      files !== null && descriptor.kind === 'file'
        ? files.read(descriptor, vectors, offset)
        : noFile(descriptor),
    ),
  fd_write: (wasi: WasiState, fd: number, at: number, count: number, out: number) =>
    transfer(wasi, fd, at, count, out, write),
  fd_pwrite: (
    wasi: WasiState,
    fd: number,
    at: number,
    count: number,
    offset: bigint,
    out: number,
  ) =>
    transfer(wasi, fd, at, count, out, (state, descriptor, vectors) =>
      descriptor.kind === 'file'
        ? writeFile(state, descriptor, vectors, offset)
        : noFile(descriptor),
    ),
  fd_readdir: readDirectory,
};

function transfer(
  wasi: WasiState,
  fd: number,
  at: number,
  count: number,
  out: number,
  move: Transfer,
): Errno {
  const { memory, descriptors } = wasi;
  const descriptor = descriptors.get(fd);
  if (descriptor === undefined) return ERRNO.badf;
  if (!memory.has(out, 4)) return ERRNO.fault;
  const vectors = memory.vectors(at, count);
  if (typeof vectors === 'number') return vectors;
  const { errno, bytes } = move(wasi, descriptor, vectors);
  return errno === ERRNO.success ? memory.writeU32(out, bytes) : errno;
}

function read({ files }: WasiState, descriptor: Descriptor, vectors: Vectors): Moved {
  if (descriptor.kind === 'input') return { errno: ERRNO.success, bytes: 0 };
  if (descriptor.kind === 'output' || files === null) return failed(ERRNO.badf);
  if (descriptor.kind === 'directory') return failed(ERRNO.isdir);
  return files.read(descriptor, vectors, null);
}

function write(wasi: WasiState, descriptor: Descriptor, vectors: Vectors): Moved {
  if (descriptor.kind === 'file') return writeFile(wasi, descriptor, vectors, null);
  if (descriptor.kind !== 'output') return failed(ERRNO.badf);
  let bytes = 0;
  for (const vector of vectors) {
    wasi.output.write(descriptor.stream, vector);
    bytes += vector.length;
  }
  return { errno: ERRNO.success, bytes };
}

function writeFile(
  { files }: WasiState,
  descriptor: FileDescriptor,
  vectors: Vectors,
  offset: bigint | null,
): Moved {
  if (files === null) return failed(ERRNO.badf);
  return descriptor.readOnly ? failed(ERRNO.rofs) : files.write(descriptor, vectors, offset);
}

function noFile({ kind }: Descriptor): Moved {
  return failed(kind === 'directory' ? ERRNO.isdir : ERRNO.spipe);
}

function failed(errno: Errno): Moved {
  return { errno, bytes: 0 };
}

function readDirectory(
  wasi: WasiState,
  fd: number,
  to: number,
  room: number,
  cookie: bigint,
  out: number,
): Errno {
  const { memory, descriptors, files } = wasi;
  const descriptor = descriptors.get(fd);
  if (descriptor === undefined) return ERRNO.badf;
  if (descriptor.kind !== 'directory' || files === null) return ERRNO.notdir;
  const length = room >>> 0;
  // A shorter answer than the room would mean that there is no more.
  if (length > MAX_TRANSFER_BYTES) return ERRNO.inval;
  if (!memory.has(to, length) || !memory.has(out, 4)) return ERRNO.fault;
  const refusal = refuseList(files, descriptor, wasi.remainingMs);
  if (refusal !== ERRNO.success) return refusal;
  const entries = files.queryData('fd_readdir', [files.numberOf(descriptor)], length, cookie);
  return typeof entries === 'number'
    ? entries
    : answer(wasi, to, entries) || memory.writeU32(out, entries.length);
}

/**
 * node:wasi lists by the path that a directory had when it was opened, and the system follows every
 * link that has come to stand there since.
 */
function refuseList(
  { mounts }: NodeFiles,
  directory: DirectoryDescriptor,
  remainingMs: () => number,
): Errno {
  const found = resolvePath(mounts, directory, '.', false, remainingMs);
  if (typeof found === 'number') return found;
  const { parts } = directory;
  const isSame =
    found.parts.length === parts.length && found.parts.every((part, i) => part === parts[i]);
  return isSame ? ERRNO.success : ERRNO.notcapable;
}
