/**
 * The run directory: where the processes of one app find each other's sockets. Whoever can write
 * there can pose as a worker, so it is used only when it is this user's own and nobody else's.
 * dead-run-dirs.ts removes those that a killed primary left behind.
 */
import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ServerError } from '../errors.ts';

export interface RunDirOptions {
  /** `PLUGIND_RUN_DIR`, or null for a folder of our own under the system's temporary one. */
  readonly given: string | null;
  /** Keeps two apps of one user apart. */
  readonly appName: string;
  readonly primaryPid: number;
  /** Where the default one goes. Default `os.tmpdir()`. */
  readonly parent?: string;
  /** Who must own it. Default this process's user. */
  readonly uid?: number;
}

const OTHERS_BITS = 0o077;
const MAX_NAME_LENGTH = 24;

/**
 * Makes the run directory, or takes the one there is, and returns its absolute path.
 * @throws ServerError `CONFIG_INVALID` when it cannot be made or is not safe.
 */
export async function prepareRunDir(options: RunDirOptions): Promise<string> {
  const { given, appName, primaryPid, parent = tmpdir(), uid = ownUid() } = options;
  // Resolved, so that a slash at the end cannot make lstat follow a link.
  const path = resolve(given ?? join(parent, `${runDirPrefix(appName, uid)}${primaryPid}`));
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw unusable(path, reason(error), error);
  }
  await assertPrivate(path, uid);
  return path;
}

/** The default run directories of this user's primaries of that app, dead ones included. */
export async function findRunDirs(
  appName: string,
  parent: string = tmpdir(),
  uid: number = ownUid(),
): Promise<string[]> {
  const prefix = runDirPrefix(appName, uid);
  const names = await readdir(parent).catch(() => []);
  const found: string[] = [];
  for (const name of names) {
    if (!name.startsWith(prefix) || !/^[1-9]\d{0,9}$/.test(name.slice(prefix.length))) continue;
    const path = join(parent, name);
    const isPrivate = await assertPrivate(path, uid).then(
      () => true,
      () => false,
    );
    if (isPrivate) found.push(path);
  }
  return found;
}

/** Names of what plugind puts into a run directory. */
const OWN_FILES =
  /^(?:w\d+-\d+\.sock|primary\.sock|(?:config|wasm)-[0-9a-f]+\.(?:json|wasm)(?:\.tmp)?|(?:hangs-w|slot-)\d+\.json(?:\.\d+)?)$/;

/**
 * Takes away what an earlier primary left, so that nothing of it is counted as this one's; whatever
 * is not ours stays. At the primary's start, when nobody lives there: a killed one left all it had.
 */
export async function emptyRunDir(runDir: string): Promise<void> {
  const names = await readdir(runDir).catch(() => []);
  const own = names.filter((name) => OWN_FILES.test(name));
  await Promise.all(own.map((name) => rm(join(runDir, name), { force: true }).catch(() => {})));
}

/** At the primary's end, when every worker is gone. One that was given is kept, emptied of our files. */
export async function removeRunDir(options: {
  readonly runDir: string;
  readonly isGiven: boolean;
}): Promise<void> {
  const { runDir, isGiven } = options;
  if (isGiven) await emptyRunDir(runDir);
  else await rm(runDir, { recursive: true, force: true }).catch(() => {});
}

/** Everything before the pid in the name of a default run directory. */
export function runDirPrefix(appName: string, uid: number): string {
  const safe = appName.replace(/[^A-Za-z0-9_]/g, '_').slice(0, MAX_NAME_LENGTH);
  // Two names that are made safe alike must not end in one folder.
  const digest = createHash('sha256').update(appName).digest('hex').slice(0, 8);
  return `plugind-${uid}-${safe === appName ? safe : `${safe}-${digest}`}-`;
}

/** The user that files made by this process belong to. */
export function ownUid(): number {
  // Not os.userInfo(), which throws in a container whose user has no entry in passwd.
  return process.geteuid?.() ?? 0;
}

async function assertPrivate(path: string, uid: number): Promise<void> {
  const stats = await lstat(path).catch((error: unknown) => {
    throw unusable(path, reason(error), error);
  });
  if (stats.isSymbolicLink()) throw unusable(path, 'it is a symbolic link');
  if (!stats.isDirectory()) throw unusable(path, 'it is not a directory');
  if (stats.uid !== uid) throw unusable(path, `it belongs to user ${stats.uid}, not to ${uid}`);
  if ((stats.mode & OTHERS_BITS) !== 0) {
    const mode = (stats.mode & 0o777).toString(8);
    throw unusable(path, `its permissions are ${mode}, others may enter: chmod 700 it`);
  }
}

function unusable(path: string, why: string, cause?: unknown): ServerError {
  return new ServerError('CONFIG_INVALID', `run directory ${path} cannot be used: ${why}`, {
    cause,
    details: { path },
  });
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'the folder it should be in does not exist' : message;
}
