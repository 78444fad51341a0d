/**
 * Removes run directories of primaries that are gone: a killed one leaves its own behind. Only
 * those of this user and app, and only when nobody answers on any socket in them, since pids say
 * nothing about processes in another container that shares the temporary folder.
 */
import { lstat, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownUid, runDirPrefix } from './run-dir.ts';
import { isProcessGone } from './sibling-socket.ts';

export interface DeadRunDirsOptions {
  readonly appName: string;
  /** Where the default run directories are. Default `os.tmpdir()`. */
  readonly parent?: string;
  /** Default this process's user. */
  readonly uid?: number;
  /** Younger ones are left alone: their sockets may be still to come. Default one minute. */
  readonly minAgeMs?: number;
}

const CONNECT_MS = 500;

/** Returns the paths removed. What cannot be read or removed is left; this never fails. */
export async function removeDeadRunDirs(options: DeadRunDirsOptions): Promise<string[]> {
  const { appName, parent = tmpdir(), uid = ownUid(), minAgeMs = 60_000 } = options;
  const prefix = runDirPrefix(appName, uid);
  const names = await readdir(parent).catch(() => []);
  const removed: string[] = [];
  for (const name of names) {
    const pid = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (!/^[1-9]\d{0,9}$/.test(pid) || !isProcessGone(Number(pid))) continue;
    const path = join(parent, name);
    try {
      if (!(await isOwnAndOld(path, uid, minAgeMs)) || (await isAnswered(path))) continue;
      await rm(path, { recursive: true });
      removed.push(path);
    } catch {
      // Another worker may be removing it at this moment.
    }
  }
  return removed;
}

async function isOwnAndOld(path: string, uid: number, minAgeMs: number): Promise<boolean> {
  const stats = await lstat(path);
  return stats.isDirectory() && stats.uid === uid && Date.now() - stats.mtimeMs >= minAgeMs;
}

async function isAnswered(path: string): Promise<boolean> {
  const sockets = (await readdir(path)).filter((name) => name.endsWith('.sock'));
  const answers = await Promise.all(sockets.map((name) => accepts(join(path, name))));
  return answers.includes(true);
}

/** False only when the system says that nobody listens. */
function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (isAccepted: boolean): void => {
      socket.destroy();
      resolve(isAccepted);
    };
    socket.setTimeout(CONNECT_MS, () => settle(true));
    socket.once('connect', () => settle(true));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code !== 'ECONNREFUSED'));
  });
}
