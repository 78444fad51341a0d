/**
 * Names of the sockets in a run directory: `w<slot>-<pid>.sock`. The pid keeps the two processes
 * apart that share a slot during a reload.
 */
import { join } from 'node:path';
import { ServerError } from '../errors.ts';

/** Bytes that every system's `sun_path` has room for; a longer path is cut silently by some. */
const MAX_PATH_BYTES = 103;
const NAME = /^w(\d{1,9})-([1-9]\d{0,9})\.sock$/;

/** Whose socket it is. */
export interface SocketOwner {
  readonly slot: string;
  readonly pid: number;
}

/** @throws ServerError `CONFIG_INVALID` when the path is too long for a socket. */
export function socketPath(runDir: string, { slot, pid }: SocketOwner): string {
  const path = join(runDir, `w${slot}-${pid}.sock`);
  assertSocketPath(path);
  return path;
}

/** @throws ServerError `CONFIG_INVALID` when the path is too long for a socket. */
export function assertSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_PATH_BYTES) {
    throw new ServerError(
      'CONFIG_INVALID',
      `socket path ${path} has ${bytes} bytes, the limit is ${MAX_PATH_BYTES}: set PLUGIND_RUN_DIR to a shorter folder`,
      { details: { path, bytes, limit: MAX_PATH_BYTES } },
    );
  }
}

/** Nothing for any other file. */
export function parseSocketName(name: string): SocketOwner | undefined {
  const [, slot, pid] = NAME.exec(name) ?? [];
  return slot === undefined || pid === undefined ? undefined : { slot, pid: Number(pid) };
}

/** Whether no process of that id exists. One that is not ours to signal does. */
export function isProcessGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
