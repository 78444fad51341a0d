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

export interface Pm2Home {
  readonly dir: string;
  /** Runs one pm2 command to its end. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Pm2Run>;
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
  const run = async (args: readonly string[], env = {}): Promise<Pm2Run> => {
    const child = spawn(process.execPath, [PM2_FILE, ...args], {
      cwd: ROOT,
      env: { ...cleanEnvironment(), ...env, PM2_HOME: dir, PM2_DISABLE_VERSION_CHECK: 'true' },
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
  };
  return {
    dir,
    run,
    logs: () =>
      ['plugind-out.log', 'plugind-error.log']
        .map((file) => path.join(dir, 'logs', file))
        .map((file) => (existsSync(file) ? readFileSync(file, 'utf8') : ''))
        .join(''),
    close: async () => {
      const pidFile = path.join(dir, 'pm2.pid');
      const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : null;
      await run(['kill']);
      if (pid !== null) await waitFor('the pm2 daemon to end', () => !isAlive(pid));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
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
