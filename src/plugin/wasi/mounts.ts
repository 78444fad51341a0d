/**
 * The host directories that a guest may see, checked and made canonical. Says which of them rules
 * over a host path where one lies in another. Opens nothing.
 */
import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, relative, sep } from 'node:path';
import { ServerError } from '../../errors.ts';

/** One directory as configuration names it. */
export interface Preopen {
  readonly hostPath: string;
  /** What the guest calls it; each only once. */
  readonly guestPath: string;
  readonly readOnly: boolean;
}

export interface Mount {
  /** Place in the list of preopens. */
  readonly index: number;
  /** Absolute host path without symbolic links. */
  readonly root: string;
  readonly guestPath: Uint8Array;
  readonly readOnly: boolean;
}

/** @throws ServerError `CONFIG_INVALID` for what is no directory, and for a guest path given twice. */
export function createMounts(preopens: readonly Preopen[]): readonly Mount[] {
  const seen = new Set<string>();
  return preopens.map(({ hostPath, guestPath, readOnly }, index) => {
    if (seen.has(guestPath)) {
      throw new ServerError('CONFIG_INVALID', `two directories are allowed as "${guestPath}"`);
    }
    seen.add(guestPath);
    const root = canonicalDirectory(hostPath);
    return { index, root, guestPath: Buffer.from(guestPath), readOnly };
  });
}

/**
 * Whether writing to a host path is refused: by the mount it was reached through, or by a read-only
 * one that lies further in than that and holds the path.
 */
export function isReadOnly(mounts: readonly Mount[], through: Mount, hostPath: string): boolean {
  let innermost = through;
  for (const mount of mounts) {
    if (mount.root.length > innermost.root.length && isWithin(hostPath, mount.root)) {
      innermost = mount;
    }
  }
  return through.readOnly || innermost.readOnly;
}

/** Whether a mount's own directory is this path or lies under it: then it has to stay where it is. */
export function holdsMount(mounts: readonly Mount[], hostPath: string): boolean {
  return mounts.some(({ root }) => isWithin(root, hostPath));
}

function isWithin(hostPath: string, directory: string): boolean {
  const rest = relative(directory, hostPath);
  return rest === '' || !(rest === '..' || rest.startsWith(`..${sep}`) || isAbsolute(rest));
}

function canonicalDirectory(hostPath: string): string {
  let root: string;
  try {
    root = realpathSync.native(hostPath);
    if (statSync(root).isDirectory()) return root;
  } catch (cause) {
    throw new ServerError('CONFIG_INVALID', `"${hostPath}" cannot be opened for the plugin`, {
      cause,
    });
  }
  throw new ServerError('CONFIG_INVALID', `"${hostPath}" is not a directory`);
}
