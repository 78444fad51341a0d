/**
 * The functions of WASI that name something by a path. Each path is resolved here, links and all
 * (resolve-path.ts), before node:wasi sees it. What would change a read-only place answers ROFS;
 * what would move or remove one of the plugin's own directories answers BUSY.
 */
import type { DirectoryDescriptor } from './descriptors.ts';
import { ERRNO, type Errno } from './errno.ts';
import { answer } from './fd-functions.ts';
import type { NodeFiles } from './node-files.ts';
import { MAX_PATH_BYTES, type ResolvedPath, resolvePath } from './resolve-path.ts';
import { ALL_RIGHTS, DIRECTORY_RIGHTS, READING_RIGHTS, WRITE_RIGHT } from './rights.ts';
import type { WasiFunctions, WasiState } from './wasi-state.ts';

const FOLLOW = 1;
const FILESTAT_BYTES = 64;
/** Flags of `path_open`. */
const OPEN = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What a guest names: the descriptor of a directory, and a path from there. */
type Named = readonly [fd: number, pointer: number, length: number];

export const PATH_FUNCTIONS: WasiFunctions = {
  path_create_directory: (wasi: WasiState, ...named: Named) =>
    onWritable(wasi, named, (files, path) =>
      files.run('path_create_directory', ...files.pathValues(path)),
    ),
  path_filestat_get: (
    wasi: WasiState,
    fd: number,
    flags: number,
    pointer: number,
    length: number,
    out: number,
  ) =>
    onPath(wasi, [fd, pointer, length], flags, (files, path) => {
      const [mount, ...rest] = files.pathValues(path);
      return answer(wasi, out, files.query('path_filestat_get', FILESTAT_BYTES, mount, 0, ...rest));
    }),
  path_filestat_set_times: (
    wasi: WasiState,
    fd: number,
    flags: number,
    pointer: number,
    length: number,
    ...times: [accessed: bigint, modified: bigint, flags: number]
  ) =>
    onPath(wasi, [fd, pointer, length], flags, (files, path) => {
      if (path.readOnly) return ERRNO.rofs;
      const [mount, ...rest] = files.pathValues(path);
      return files.run('path_filestat_set_times', mount, 0, ...rest, ...times);
    }),
  path_link: (
    wasi: WasiState,
    fd: number,
    flags: number,
    pointer: number,
    length: number,
    ...target: Named
  ) =>
    onPath(wasi, [fd, pointer, length], flags, (files, from) =>
      onWritable(wasi, target, (_files, to) => {
        // A second name elsewhere would make it writable.
        if (from.readOnly) return ERRNO.rofs;
        const [mount, ...rest] = files.pathValues(from);
        return files.run('path_link', mount, 0, ...rest, ...files.pathValues(to, 'second'));
      }),
    ),
  path_open: openPath,
  path_readlink: (
    wasi: WasiState,
    fd: number,
    pointer: number,
    length: number,
    to: number,
    room: number,
    out: number,
  ) =>
    onPath(wasi, [fd, pointer, length], 0, (files, path) => {
      const { memory } = wasi;
      if (!memory.has(to, room) || !memory.has(out, 4)) return ERRNO.fault;
      const values = files.pathValues(path);
      // With less room node:wasi fails, where WASI cuts off.
      const content = files.queryData('path_readlink', values, MAX_PATH_BYTES);
      if (typeof content === 'number') return content;
      const kept = content.subarray(0, room >>> 0);
      return answer(wasi, to, kept) || memory.writeU32(out, kept.length);
    }),
  path_remove_directory: (wasi: WasiState, ...named: Named) =>
    onWritable(wasi, named, (files, path) =>
      path.isPinned ? ERRNO.busy : files.run('path_remove_directory', ...files.pathValues(path)),
    ),
  path_rename: (wasi: WasiState, fd: number, pointer: number, length: number, ...target: Named) =>
    onWritable(wasi, [fd, pointer, length], (files, from) =>
      onWritable(wasi, target, (_files, to) =>
        from.isPinned || to.isPinned
          ? ERRNO.busy
          : files.run('path_rename', ...files.pathValues(from), ...files.pathValues(to, 'second')),
      ),
    ),
  path_symlink: (wasi: WasiState, pointer: number, length: number, ...target: Named) =>
    onWritable(wasi, target, (files, path) => {
      const content = readPath(wasi, pointer, length);
      if (typeof content === 'number') return content;
      if (content.startsWith('/')) return ERRNO.notcapable;
      return files.run(
        'path_symlink',
        ...files.textValues(content),
        ...files.pathValues(path, 'second'),
      );
    }),
  path_unlink_file: (wasi: WasiState, ...named: Named) =>
    onWritable(wasi, named, (files, path) =>
      files.run('path_unlink_file', ...files.pathValues(path)),
    ),
};

function openPath(
  wasi: WasiState,
  fd: number,
  lookup: number,
  pointer: number,
  length: number,
  openFlags: number,
  base: bigint,
  inheriting: bigint,
  flags: number,
  out: number,
): Errno {
  const { memory, descriptors } = wasi;
  return onPath(wasi, [fd, pointer, length], lookup, (files, path) => {
    if (!memory.has(out, 4)) return ERRNO.fault;
    const refusal = refuseOpen(path, openFlags, base);
    if (refusal !== ERRNO.success) return refusal;
    if (descriptors.isFull) return ERRNO.mfile;
    const { mount, parts, readOnly } = path;
    const isDirectory = (openFlags & OPEN.directory) !== 0;
    const allowed =
      (readOnly ? READING_RIGHTS : ALL_RIGHTS) & (isDirectory ? DIRECTORY_RIGHTS : ALL_RIGHTS);
    const inner = files.open(path, openFlags, base & allowed, inheriting & allowed, flags);
    if (inner < 0) return -inner;
    return memory.writeU32(
      out,
      descriptors.add(
        path.kind === 'directory'
          ? { kind: 'directory', inner, mount, parts, readOnly, isPreopen: false }
          : { kind: 'file', inner, readOnly },
      ),
    );
  });
}

function refuseOpen({ kind, readOnly }: ResolvedPath, openFlags: number, base: bigint): Errno {
  if (kind === 'link') return ERRNO.loop;
  // Opening a pipe would wait for its other end, for ever.
  if (kind === 'other') return ERRNO.acces;
  const isDirectory = (openFlags & OPEN.directory) !== 0;
  const isWriting =
    (openFlags & (OPEN.create | OPEN.truncate)) !== 0 ||
    (!isDirectory && (base & WRITE_RIGHT) !== 0n);
  return readOnly && isWriting ? ERRNO.rofs : ERRNO.success;
}

type PathWork = (files: NodeFiles, path: ResolvedPath) => Errno;

/** Runs where the path leads to somewhere inside its directory. */
function onPath(wasi: WasiState, named: Named, lookup: number, work: PathWork): Errno {
  const [fd, pointer, length] = named;
  const directory = findDirectory(wasi, fd);
  if (typeof directory === 'number') return directory;
  const path = readPath(wasi, pointer, length);
  if (typeof path === 'number') return path;
  const { files, remainingMs } = wasi;
  if (files === null) return ERRNO.badf;
  const follow = (lookup & FOLLOW) !== 0;
  const resolved = resolvePath(files.mounts, directory, path, follow, remainingMs);
  return typeof resolved === 'number' ? resolved : work(files, resolved);
}

/** As {@link onPath}, for the thing itself, and not where it may not be changed. */
function onWritable(wasi: WasiState, named: Named, work: PathWork): Errno {
  return onPath(wasi, named, 0, (files, path) => (path.readOnly ? ERRNO.rofs : work(files, path)));
}

function findDirectory({ descriptors }: WasiState, fd: number): DirectoryDescriptor | Errno {
  const descriptor = descriptors.get(fd);
  if (descriptor === undefined) return ERRNO.badf;
  return descriptor.kind === 'directory' ? descriptor : ERRNO.notdir;
}

function readPath({ memory }: WasiState, pointer: number, length: number): string | Errno {
  if (length >>> 0 > MAX_PATH_BYTES) return ERRNO.nametoolong;
  const bytes = memory.bytes(pointer, length);
  if (bytes === null) return ERRNO.fault;
  if (bytes.includes(0)) return ERRNO.inval;
  try {
    return UTF8.decode(bytes);
  } catch {
    return ERRNO.ilseq;
  }
}
