/**
 * How many workers `"auto"` is: the CPUs this process may use, or fewer where its control group
 * allows less CPU time (containers, systemd's CPUQuota). Node 20 knows of the CPUs only.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { posix } from 'node:path';

export interface WorkerCountOptions {
  /** Default `os.availableParallelism()`. */
  readonly cpus?: number;
  /** Text of a file, or nothing if it cannot be read. Default: the file system. */
  readonly readText?: (path: string) => string | undefined;
}

const ROOT = '/sys/fs/cgroup';
/** A path of a control group is never this deep; it bounds the walk. */
const MAX_LEVELS = 32;

/** The smaller of CPUs and quota, rounded down, at least 1. */
export function workerCount(options: WorkerCountOptions = {}): number {
  const { cpus = availableParallelism(), readText = readTextFile } = options;
  return Math.max(1, Math.floor(Math.min(cpus, cpuQuota(readText))));
}

type ReadText = (path: string) => string | undefined;

/** CPUs' worth of time that the control groups allow; Infinity without a limit. */
function cpuQuota(readText: ReadText): number {
  let quota = Number.POSITIVE_INFINITY;
  for (const directory of groupDirectories(readText('/proc/self/cgroup') ?? '')) {
    quota = Math.min(quota, quotaOfV2(readText, directory), quotaOfV1(readText, directory));
  }
  return quota;
}

/** The directories of this process's groups and of all their parents: each may hold a limit. */
function groupDirectories(groups: string): Set<string> {
  // Inside a container the path of /proc/self/cgroup may be the host's; the mount's root holds then.
  const directories = new Set([ROOT, `${ROOT}/cpu`, `${ROOT}/cpu,cpuacct`]);
  for (const line of groups.split('\n').slice(0, 64)) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    if (controllers !== '' && !controllers.split(',').includes('cpu')) continue;
    const mount = posix.join(ROOT, controllers);
    // Seen from another namespace a path may begin with "..": then it is not below the mount.
    let directory = posix.join(mount, path);
    for (let level = 0; level < MAX_LEVELS && directory.startsWith(mount); level++) {
      directories.add(directory);
      directory = posix.dirname(directory);
    }
  }
  return directories;
}

function quotaOfV2(readText: ReadText, directory: string): number {
  const [, quota, period] = /^(\d+) (\d+)\s*$/.exec(readText(`${directory}/cpu.max`) ?? '') ?? [];
  return ratio(quota, period);
}

function quotaOfV1(readText: ReadText, directory: string): number {
  return ratio(
    readText(`${directory}/cpu.cfs_quota_us`),
    readText(`${directory}/cpu.cfs_period_us`),
  );
}

function ratio(quota: string | undefined, period: string | undefined): number {
  const value = Number(quota) / Number(period);
  return Number.isFinite(value) && value > 0 ? value : Number.POSITIVE_INFINITY;
}

function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
