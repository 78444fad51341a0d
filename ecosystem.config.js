/**
 * `npx pm2 start` with this file runs the same workers as `plugind serve`, with pm2 as the primary.
 * Configure them with a `plugind.json` here, with `args` (exactly the arguments of `plugind serve`),
 * or with PLUGIND_… variables. A named export: pm2 sees no default one in a module.
 */
import os from 'node:os';

/** Default of `shutdown.delayMs` + `shutdown.drainMs`; raise it with yours. */
const DRAIN_MS = 10_000;

export const apps = [
  {
    name: 'plugind',
    script: './dist/worker.js',
    exec_mode: 'cluster',
    // pm2's own 'max' ignores processor affinity.
    instances: os.availableParallelism(),
    // The worker says so once all its listeners are bound. When listen_timeout runs out during a
    // reload pm2 kills the worker that still serves, so it is long.
    wait_ready: true,
    listen_timeout: 20_000,
    // A worker drains by itself; pm2 must not kill it before its hard end.
    kill_timeout: DRAIN_MS + 2_000,
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
