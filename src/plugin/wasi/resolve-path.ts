/**
 * From a path that a guest names to the place it means on the host. Node's WASI lets the operating
 * system follow symbolic links, out of the directory it was given; so links are followed here, step
 * by step, and only a path without any is handed on. Nothing is promised against another process
 * (or another instance) that changes the directories between this look and their use.
 */
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import type { DirectoryDescriptor } from './descriptors.ts';
import { ERRNO, type Errno } from './errno.ts';
import { holdsMount, isReadOnly, type Mount } from './mounts.ts';

const MAX_LINKS = 32;
/** Of a guest's path, and of the one that node:wasi is handed for it. */
export const MAX_PATH_BYTES: number = 4096;

export type FoundKind = 'missing' | 'file' | 'directory' | 'link' | 'other';

export interface ResolvedPath {
  readonly mount: Mount;
  /** From the mount's root, without `.`, `..` or links before its last part; empty is the root itself. */
  readonly parts: readonly string[];
  /** What is there; `other` is a device, a pipe or a socket. */
  readonly kind: FoundKind;
  readonly readOnly: boolean;
  /** It is, or holds, one of the plugin's directories. */
  readonly isPinned: boolean;
}

/**
 * @param follow whether a link in the last place is followed too.
 * @param remainingMs what the running call has left: one long path over many links took 5 s.
 */
export function resolvePath(
  mounts: readonly Mount[],
  directory: DirectoryDescriptor,
  path: string,
  follow: boolean,
  remainingMs: () => number,
): ResolvedPath | Errno {
  if (path === '') return ERRNO.noent;
  if (path.startsWith('/')) return ERRNO.notcapable;
  const { mount } = directory;
  // The directory's own parts are looked at anew each time: one may have become a link by now.
  const found = walk(mount.root, [...directory.parts, ...path.split('/')], follow, remainingMs);
  if (typeof found === 'number') return found;
  if (Buffer.byteLength(found.parts.join('/')) > MAX_PATH_BYTES) return ERRNO.nametoolong;
  const hostPath = join(mount.root, ...found.parts);
  return {
    ...found,
    mount,
    readOnly: isReadOnly(mounts, mount, hostPath),
    isPinned: holdsMount(mounts, hostPath),
  };
}

function walk(
  root: string,
  wanted: readonly string[],
  follow: boolean,
  remainingMs: () => number,
): Pick<ResolvedPath, 'parts' | 'kind'> | Errno {
  const left = wanted.toReversed();
  const parts: string[] = [];
  let kind: FoundKind = 'directory';
  let links = 0;
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    if (kind === 'missing' && part !== '') return ERRNO.noent;
    if (kind !== 'directory' && kind !== 'missing') return ERRNO.notdir;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (parts.pop() === undefined) return ERRNO.notcapable;
      continue;
    }
    if (remainingMs() <= 0) return ERRNO.canceled;
    const hostPath = join(root, ...parts, part);
    const stats = look(hostPath);
    if (typeof stats === 'number') return stats;
    kind = kindOf(stats);
    if (kind !== 'link' || (left.length === 0 && !follow)) {
      parts.push(part);
      continue;
    }
    if (++links > MAX_LINKS) return ERRNO.loop;
    const target = readLink(hostPath);
    if (typeof target === 'number') return target;
    if (target.startsWith('/')) return ERRNO.notcapable;
    left.push(...target.split('/').reverse());
    kind = 'directory';
  }
  return { parts, kind };
}

function look(hostPath: string): Stats | undefined | Errno {
  try {
    return lstatSync(hostPath, { throwIfNoEntry: false });
  } catch (thrown) {
    return errnoOf(thrown);
  }
}

function readLink(hostPath: string): string | Errno {
  try {
    return readlinkSync(hostPath);
  } catch (thrown) {
    return errnoOf(thrown);
  }
}

function kindOf(stats: Stats | undefined): FoundKind {
  if (stats === undefined) return 'missing';
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

function errnoOf(thrown: unknown): Errno {
  const { code } = thrown as NodeJS.ErrnoException;
  if (code === 'EACCES') return ERRNO.acces;
  return code === 'ENAMETOOLONG' ? ERRNO.nametoolong : ERRNO.io;
}
