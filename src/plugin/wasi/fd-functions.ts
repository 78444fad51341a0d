/**
 * The functions of WASI that ask about an open descriptor or change it. Reading and writing are in
 * transfer-functions.ts.
 */
import type { Descriptor, DirectoryDescriptor, FileDescriptor } from './descriptors.ts';
import { ERRNO, type Errno } from './errno.ts';
import type { NodeFiles } from './node-files.ts';
import { INPUT_RIGHTS, OUTPUT_RIGHTS } from './rights.ts';
import type { WasiFunctions, WasiState } from './wasi-state.ts';

const FDSTAT_BYTES = 24;
const FILESTAT_BYTES = 64;
const PRESTAT_BYTES = 8;
/** A terminal's: C's stdio then writes line by line, where it would wait for a full buffer. */
const CHARACTER_DEVICE = 2;

/** @param inner the descriptor's number in node:wasi. */
type FileWork<T> = (files: NodeFiles, inner: number, descriptor: T) => Errno;

export const FD_FUNCTIONS: WasiFunctions = {
  fd_advise: (wasi: WasiState, fd: number, from: bigint, length: bigint, advice: number) =>
    onFile(wasi, fd, (files, inner) => files.run('fd_advise', inner, from, length, advice)),
  // It could fill a disk in one call.
  fd_allocate: ({ descriptors }: WasiState, fd: number) =>
    descriptors.get(fd) === undefined ? ERRNO.badf : ERRNO.notsup,
  fd_close: closeDescriptor,
  fd_datasync: (wasi: WasiState, fd: number) =>
    onOpened(wasi, fd, (files, inner) => files.run('fd_datasync', inner)),
  fd_fdstat_get: statDescriptor,
  fd_fdstat_set_flags: (wasi: WasiState, fd: number, flags: number) =>
    isStdio(wasi.descriptors.get(fd))
      ? ERRNO.success
      : onOpened(wasi, fd, (files, inner) => files.run('fd_fdstat_set_flags', inner, flags)),
  fd_fdstat_set_rights: ({ descriptors }: WasiState, fd: number) =>
    descriptors.get(fd) === undefined ? ERRNO.badf : ERRNO.notsup,
  fd_filestat_get: statFile,
  fd_filestat_set_size: (wasi: WasiState, fd: number, size: bigint) =>
    onFile(wasi, fd, (files, inner, { readOnly }) =>
      readOnly ? ERRNO.rofs : files.run('fd_filestat_set_size', inner, size),
    ),
  fd_filestat_set_times: (
    wasi: WasiState,
    fd: number,
    accessed: bigint,
    modified: bigint,
    flags: number,
  ) =>
    onOpened(wasi, fd, (files, inner, { readOnly }) =>
      readOnly ? ERRNO.rofs : files.run('fd_filestat_set_times', inner, accessed, modified, flags),
    ),
  fd_prestat_get: ({ memory, descriptors }: WasiState, fd: number, out: number) => {
    const descriptor = descriptors.get(fd);
    if (!isPreopen(descriptor)) return ERRNO.badf;
    if (!memory.has(out, PRESTAT_BYTES)) return ERRNO.fault;
    // Kind 0: a directory.
    memory.writeU32(out, 0);
    return memory.writeU32(out + 4, descriptor.mount.guestPath.length);
  },
  fd_prestat_dir_name: (
    { memory, descriptors }: WasiState,
    fd: number,
    to: number,
    room: number,
  ) => {
    const descriptor = descriptors.get(fd);
    if (!isPreopen(descriptor)) return ERRNO.badf;
    const { guestPath } = descriptor.mount;
    return guestPath.length > room >>> 0 ? ERRNO.nametoolong : memory.write(to, guestPath);
  },
  fd_renumber: moveDescriptor,
  fd_seek: (wasi: WasiState, fd: number, offset: bigint, whence: number, out: number) =>
    onFile(wasi, fd, (files, inner) => {
      if (!wasi.memory.has(out, 8)) return ERRNO.fault;
      return answer(wasi, out, files.query('fd_seek', 8, inner, offset, whence));
    }),
  fd_sync: (wasi: WasiState, fd: number) =>
    onOpened(wasi, fd, (files, inner) => files.run('fd_sync', inner)),
  fd_tell: (wasi: WasiState, fd: number, out: number) =>
    onFile(wasi, fd, (files, inner) => answer(wasi, out, files.query('fd_tell', 8, inner))),
};

/** Gives the guest what a query brought, or its error number. */
export function answer({ memory }: WasiState, out: number, result: Uint8Array | Errno): Errno {
  return typeof result === 'number' ? result : memory.write(out, result);
}

/** Runs for a file alone. */
function onFile(wasi: WasiState, fd: number, work: FileWork<FileDescriptor>): Errno {
  const descriptor = wasi.descriptors.get(fd);
  if (isStdio(descriptor)) return ERRNO.spipe;
  if (descriptor === undefined || wasi.files === null) return ERRNO.badf;
  if (descriptor.kind !== 'file') return ERRNO.isdir;
  return work(wasi.files, descriptor.inner, descriptor);
}

/** Runs for files and directories. */
function onOpened(
  wasi: WasiState,
  fd: number,
  work: FileWork<FileDescriptor | DirectoryDescriptor>,
): Errno {
  const descriptor = wasi.descriptors.get(fd);
  if (isStdio(descriptor)) return ERRNO.inval;
  if (descriptor === undefined || wasi.files === null) return ERRNO.badf;
  return work(wasi.files, wasi.files.numberOf(descriptor), descriptor);
}

function isStdio(
  descriptor: Descriptor | undefined,
): descriptor is Extract<Descriptor, { kind: 'input' | 'output' }> {
  return descriptor?.kind === 'input' || descriptor?.kind === 'output';
}

function isPreopen(descriptor: Descriptor | undefined): descriptor is DirectoryDescriptor {
  return descriptor?.kind === 'directory' && descriptor.isPreopen;
}

function closeDescriptor(wasi: WasiState, fd: number): Errno {
  const descriptor = wasi.descriptors.get(fd);
  if (descriptor === undefined) return ERRNO.badf;
  wasi.descriptors.delete(fd);
  return release(wasi, descriptor);
}

function moveDescriptor(wasi: WasiState, from: number, to: number): Errno {
  const { descriptors } = wasi;
  const replaced = descriptors.get(to);
  if (descriptors.get(from) === undefined || replaced === undefined) return ERRNO.badf;
  if (from === to) return ERRNO.success;
  descriptors.move(from, to);
  return release(wasi, replaced);
}

/** Closes what stood behind a number that a guest gave up. */
export function release({ files }: WasiState, descriptor: Descriptor): Errno {
  if (files === null || isStdio(descriptor)) return ERRNO.success;
  return files.release(descriptor.inner);
}

function statDescriptor(wasi: WasiState, fd: number, out: number): Errno {
  const { memory, descriptors, files } = wasi;
  const descriptor = descriptors.get(fd);
  if (descriptor === undefined) return ERRNO.badf;
  if (!memory.has(out, FDSTAT_BYTES)) return ERRNO.fault;
  if (isStdio(descriptor)) {
    const rights = descriptor.kind === 'input' ? INPUT_RIGHTS : OUTPUT_RIGHTS;
    memory.write(out, new Uint8Array(FDSTAT_BYTES).fill(CHARACTER_DEVICE, 0, 1));
    return memory.writeU64(out + 8, rights);
  }
  if (files === null) return ERRNO.badf;
  return answer(wasi, out, files.query('fd_fdstat_get', FDSTAT_BYTES, files.numberOf(descriptor)));
}

function statFile(wasi: WasiState, fd: number, out: number): Errno {
  const { memory, descriptors } = wasi;
  if (!memory.has(out, FILESTAT_BYTES)) return ERRNO.fault;
  if (isStdio(descriptors.get(fd))) {
    return memory.write(out, new Uint8Array(FILESTAT_BYTES).fill(CHARACTER_DEVICE, 16, 17));
  }
  return onOpened(wasi, fd, (files, inner) =>
    answer(wasi, out, files.query('fd_filestat_get', FILESTAT_BYTES, inner)),
  );
}
