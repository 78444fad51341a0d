/** A pm2 daemon of the test's own, with its own home, that is ended by its pid afterwards. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { apps } from '../../ecosystem.config.js';
import { ROOT } from './paths.ts';
import { cleanEnvironment } from './server-process.ts';
import { waitFor } from './wait-for.ts';

const PM2_FILE = path.join(ROOT, 'node_modules/pm2/bin/pm2');

export interface Pm2Run {
  readonly code: number | null;
  readonly output: string;
}

/** One process as pm2 lists it. */
export interface Pm2App {
  readonly pid: number;
  readonly pm_id: number;
  readonly pm2_env: Readonly<{
    status: string;
    restart_time: number;
    kill_timeout: number;
    listen_timeout: number;
  }>;
}

export interface Pm2Home {
  readonly dir: string;
  /** Process id of the daemon, or null when none was started. */
  daemonPid(): number | null;
  /** Runs one pm2 command to its end. */
  run(
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
    cwd?: string,
  ): Promise<Pm2Run>;
  /** What `pm2 jlist` shows. */
  list(): Promise<Pm2App[]>;
  /** Text of the app's log files. */
  logs(): string;
  /** Ends the daemon and everything under it. */
  close(): Promise<void>;
}

/** The project's own pm2 settings with some of them changed, as a file for `pm2 start`. */
export function writeEcosystem(changes: Readonly<Record<string, unknown>>): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'pm2-ecosystem-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  const file = path.join(dir, 'ecosystem.json');
  writeFileSync(file, JSON.stringify({ apps: [{ ...apps[0], cwd: ROOT, ...changes }] }));
  return file;
}

export function createPm2Home(): Pm2Home {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'pm2-test-'));
  const pidFile = path.join(dir, 'pm2.pid');
  const daemonPid = (): number | null =>
    existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : null;
  const run = (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    cwd = ROOT,
  ): Promise<Pm2Run> => runNode([PM2_FILE, ...args], { ...env, ...pm2Environment(dir) }, cwd);
  return {
    dir,
    daemonPid,
    run,
    list: async () => {
      const { output } = await run(['jlist']);
      const line = output.split('\n').find((text) => /^\[(\{|\])/.test(text)) ?? '[]';
      return JSON.parse(line) as Pm2App[];
    },
    logs: () =>
      ['plugind-out.log', 'plugind-error.log']
        .map((file) => path.join(dir, 'logs', file))
        .map((file) => (existsSync(file) ? readFileSync(file, 'utf8') : ''))
        .join(''),
    close: async () => {
      const pid = daemonPid();
      await run(['kill']);
      if (pid !== null) await waitFor('the pm2 daemon to end', () => !isAlive(pid));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** What a command needs to speak to the pm2 of this home. */
export function pm2Environment(dir: string): Record<string, string> {
  return { PM2_HOME: dir, PM2_DISABLE_VERSION_CHECK: 'true' };
}

/** Runs a script of Node's to its end. */
export async function runNode(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string = ROOT,
): Promise<Pm2Run> {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, output };
}

/** Whether a process runs. One that is dead and waits for its parent to ask after it does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}

/** A TCP port that was free a moment ago: pm2's workers cannot tell which one the system chose. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
