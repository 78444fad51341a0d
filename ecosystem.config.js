/**
 * `npx pm2 start` with this file runs the same workers as `plugind serve`, with pm2 as the primary.
 * Configure them with a `plugind.json` here, with `args` below, or with PLUGIND_… variables; number
 * and time limits follow. A named export: pm2 sees no default one in a module.
 */
import { createRequire } from 'node:module';
import os from 'node:os';

/** Exactly the arguments of `plugind serve`, for example ['--config', 'other.json']. */
const args = [];

/** Beyond the worker's own hard end. */
const KILL_MARGIN_MS = 2_000;

const { workers, startMs, stopMs } = limits();

export const apps = [
  {
    name: 'plugind',
    script: './dist/worker.js',
    args,
    cwd: import.meta.dirname,
    exec_mode: 'cluster',
    // pm2's own 'max' ignores processor affinity and the control group's quota.
    instances: workers,
    // The worker says so once all its listeners are bound. When listen_timeout runs out during a
    // reload pm2 kills the worker that still serves, so it is long.
    wait_ready: true,
    listen_timeout: startMs,
    // A worker drains by itself; pm2 must not kill it before its hard end.
    kill_timeout: stopMs,
    shutdown_with_message: true,
    exp_backoff_restart_delay: 200,
    // The operator's mistakes: starting again cannot help.
    stop_exit_codes: [2],
    merge_logs: true,
    // pm2's agent inside the worker costs almost half of its CPU time again.
    pmx: false,
    treekill: false,
  },
];

/** What the configuration says; where it cannot be read, the worker says why, and the defaults do. */
function limits() {
  try {
    // Not an import: pm2 reads this file in checkouts that are not built too.
    const require = createRequire(import.meta.url);
    const { parseServeArguments } = require('./dist/cli/arguments.js');
    const { BUNDLED_PLUGIN } = require('./dist/cli/bundled.js');
    const { loadConfig } = require('./dist/config/load-config.js');
    const { startLimitMs } = require('./dist/config/start-limit.js');
    const config = loadConfig({
      args: parseServeArguments(args),
      bundled: BUNDLED_PLUGIN,
      cwd: import.meta.dirname,
    });
    const { delayMs, drainMs } = config.shutdown;
    return {
      workers: config.workers,
      startMs: startLimitMs(config),
      stopMs: delayMs + drainMs + KILL_MARGIN_MS,
    };
  } catch {
    return {
      workers: os.availableParallelism(),
      startMs: 20_000,
      stopMs: 10_000 + KILL_MARGIN_MS,
    };
  }
}
