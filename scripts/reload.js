// `npm run reload`: tries what the reloaded workers will be, in a process and on ports of its own,
// and lets pm2 reload only when that one served. Left to itself pm2 takes every worker down over a
// build or a configuration that does not start. Exit code 0: reloaded; else nothing was touched
// (2: a mistake that only the operator can mend, 1: anything else) or pm2's own.
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const pm2 = createRequire(import.meta.url).resolve('pm2/bin/pm2');
const ecosystem = path.resolve(root, process.argv[2] ?? 'ecosystem.config.js');

try {
  const env = await check();
  const { status } = runPm2(['reload', ecosystem], env, 'inherit');
  process.exitCode = status ?? 1;
} catch (error) {
  const isMistake = error.isOperatorMistake === true;
  console.error(`reload refused: ${isMistake ? error.message : (error.stack ?? error)}`);
  console.error('nothing was touched');
  process.exitCode = isMistake ? 2 : 1;
}
process.exit();

/** Resolves to the environment of the reload. Throws what the new workers would fail with. */
async function check() {
  const app = await readApp();
  const running = listRunning(app.name);
  const stored = Object.entries(running?.pm2_env ?? {}).filter(isOurs);
  const env = { ...Object.fromEntries(stored), ...process.env, ...app.env };
  const config = await readConfig(app, env);
  for (const what of ['listen', 'admin']) await checkAddress(what, config[what], app, running);
  await tryWorker(app, config, env);
  console.log('checked: a worker on this build and configuration started, served and left');
  return env;
}

async function readApp() {
  if (!ecosystem.endsWith('.json')) return (await import(ecosystem)).apps[0];
  return (await import(ecosystem, { with: { type: 'json' } })).default.apps[0];
}

/** As pm2 keeps it: with the environment of its start, on which a reload lays the one of now. */
function listRunning(name) {
  const { stdout } = runPm2(['jlist'], process.env, 'pipe');
  const line = stdout.split('\n').find((text) => /^\[(\{|\])/.test(text)) ?? '[]';
  return JSON.parse(line).find((app) => app.name === name);
}

function isOurs([name, value]) {
  return typeof value === 'string' && (name.startsWith('PLUGIND_') || name === 'PORT');
}

async function readConfig(app, env) {
  const { parseServeArguments } = await fromBuild('cli/arguments.js');
  const { BUNDLED_PLUGIN } = await fromBuild('cli/bundled.js');
  const { loadConfig } = await fromBuild('config/load-config.js');
  const args = parseServeArguments([app.args ?? []].flat());
  return loadConfig({ args, bundled: BUNDLED_PLUGIN, env, cwd: app.cwd ?? root });
}

/** An address is good when it is free, or when it is ours: the workers that run say which they hold. */
async function checkAddress(what, { host, port }, app, running) {
  const { checkListen } = await fromBuild('cli/check-listen.js');
  try {
    await checkListen(what, { host, port });
  } catch (error) {
    if (error.cause?.code !== 'EADDRINUSE' || running === undefined) throw error;
    const claims = await readRunningClaims(app, running);
    if (!claims.some((claim) => claim[what].host === host && claim[what].port === port)) {
      throw error;
    }
  }
}

async function readRunningClaims(app, { pm2_env: stored }) {
  const { readClaims } = await fromBuild('worker/slot-claims.js');
  const { prepareRunDir } = await fromBuild('admin/run-dir.js');
  const home = process.env.PM2_HOME ?? path.join(os.homedir(), '.pm2');
  const primaryPid = Number(readFileSync(path.join(home, 'pm2.pid'), 'utf8'));
  const given = stored.PLUGIND_RUN_DIR || null;
  const runDir = await prepareRunDir({ given, appName: app.name, primaryPid });
  return readClaims(runDir, primaryPid);
}

/** One worker as our own primary would start it, from its build to its last step. */
async function tryWorker(app, config, env) {
  const runDir = mkdtempSync(path.join(os.tmpdir(), 'plugind-try-'));
  try {
    await tryWorkerIn(runDir, app, config, env);
  } finally {
    rmSync(runDir, { recursive: true, force: true });
  }
}

async function tryWorkerIn(runDir, app, config, env) {
  const { startLimitMs } = await fromBuild('config/start-limit.js');
  const { acceptConfig } = await fromBuild('config/accepted-config.js');
  const { fetchItems } = await fromBuild('plugin/manifest/fetch-items.js');
  const { shutdown } = config;
  const tried = {
    ...config,
    listen: { ...config.listen, port: 0 },
    admin: { ...config.admin, port: 0 },
    shutdown: { ...shutdown, delayMs: 0 },
  };
  const accepted = await acceptConfig(runDir, tried, fetchItems);
  const worker = fork(path.resolve(app.cwd ?? root, app.script), [], {
    env: {
      ...env,
      PLUGIND_SLOT: '0',
      PLUGIND_RUN_DIR: runDir,
      PLUGIND_ACCEPTED_CONFIG: accepted.file,
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(worker, 'exit').then(([code, signal]) => ({ code, signal }));
  const timer = setTimeout(() => worker.kill('SIGKILL'), startLimitMs(config) + shutdown.drainMs);
  worker.on('message', (message) => message === 'ready' && worker.send('shutdown'));
  const { code, signal } = await exited;
  clearTimeout(timer);
  if (code === 0) return;
  const how = signal === null ? `exit code ${code}` : signal;
  const error = new Error(`a worker on this build and configuration did not start (${how})`);
  throw Object.assign(error, { isOperatorMistake: code === 2, stack: error.message });
}

function fromBuild(file) {
  return import(path.join(root, 'dist', file));
}

function runPm2(args, env, stdout) {
  const stdio = ['ignore', stdout, 'inherit'];
  return spawnSync(process.execPath, [pm2, ...args], { cwd: root, env, stdio, encoding: 'utf8' });
}
