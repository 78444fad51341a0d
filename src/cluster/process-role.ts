/**
 * Who this process is: a worker of our own primary, of pm2, or alone. The one place that reads
 * what a supervisor left in the environment.
 */
import { ACCEPTED_VARIABLE } from '../config/accepted-config.ts';
import type { WorkerRole } from '../worker/worker-role.ts';

/** A worker's role, and where its configuration comes from. */
export interface ProcessRole extends WorkerRole {
  readonly supervisor: 'plugind' | 'pm2' | 'none';
  /** File of the configuration that our own primary accepted; null: the worker reads it itself. */
  readonly acceptedConfig: string | null;
  /** Exactly the arguments of `plugind serve`, for a worker that reads its configuration itself. */
  readonly args: readonly string[];
}

/** Set by our own primary for each worker. */
export const SLOT_VARIABLE = 'PLUGIND_SLOT';
export const EXPECTED_VARIABLE = 'PLUGIND_EXPECTED_WORKERS';
export const RUN_DIR_VARIABLE = 'PLUGIND_RUN_DIR';

export const OWN_APP_NAME = 'plugind';

export function readProcessRole(
  env: NodeJS.ProcessEnv = process.env,
  argv: readonly string[] = process.argv,
): ProcessRole {
  const runDir = env[RUN_DIR_VARIABLE] || null;
  const acceptedConfig = null;
  const slot = env[SLOT_VARIABLE];
  if (slot !== undefined) {
    return {
      supervisor: 'plugind',
      hasOwnPrimary: true,
      slot,
      appName: OWN_APP_NAME,
      primaryPid: process.ppid,
      runDir,
      restarts: null,
      errorLog: null,
      acceptedConfig: env[ACCEPTED_VARIABLE] || null,
      args: [],
      expectedWorkers: readCount(env[EXPECTED_VARIABLE]),
    };
  }
  const pmId = env.pm_id;
  if (pmId !== undefined) {
    return {
      supervisor: 'pm2',
      hasOwnPrimary: false,
      slot: pmId,
      appName: env.name ?? OWN_APP_NAME,
      primaryPid: process.ppid,
      runDir,
      errorLog: env.pm_err_log_path || null,
      restarts: readCount(env.restart_time) ?? 0,
      acceptedConfig,
      args: pm2Arguments(argv, env.args ?? ''),
      // `instances` is the number at the start, stale after `pm2 scale`.
      expectedWorkers: null,
    };
  }
  return {
    supervisor: 'none',
    hasOwnPrimary: false,
    slot: '0',
    appName: OWN_APP_NAME,
    primaryPid: process.pid,
    runDir,
    restarts: null,
    errorLog: null,
    acceptedConfig,
    args: argv.slice(2),
    expectedWorkers: 1,
  };
}

/**
 * pm2 puts the app's arguments at the end of the command line, and with commas between them into
 * the environment. What stands before them is the command line of `pm2-runtime`, where that is the
 * primary: node:cluster hands it down.
 */
function pm2Arguments(argv: readonly string[], joined: string): readonly string[] {
  for (let first = argv.length - 1; first >= 2; first--) {
    const tail = argv.slice(first);
    if (tail.join(',') === joined) return tail;
  }
  return [];
}

function readCount(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}
