/**
 * A real `plugind serve` in a child process on ports the system chose. The built command is run,
 * since that is what a user runs; test/run.ts builds it first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { ROOT } from './paths.ts';
import { waitFor } from './wait-for.ts';

export const CLI_FILE: string = path.join(ROOT, 'dist/cli.js');

export interface ServerProcess {
  readonly child: ChildProcess;
  /** `http://127.0.0.1:PORT` of the public listener. */
  readonly url: string;
  /** The same of the admin listener. */
  readonly adminUrl: string;
  readonly port: number;
  /** Everything written so far. */
  readonly output: { stdout: string; stderr: string };
  /** SIGTERM, then its exit code. */
  stop(): Promise<number | null>;
}

export interface SpawnOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs the command and collects what it writes. */
export function spawnCli(options: SpawnOptions): {
  child: ChildProcess;
  output: { stdout: string; stderr: string };
  exited: Promise<number | null>;
} {
  const child = spawn(process.execPath, [CLI_FILE, ...(options.args ?? [])], {
    cwd: options.cwd ?? ROOT,
    env: { ...cleanEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return { child, output, exited };
}

/** Starts `plugind serve` and waits for its banner. */
export async function startServer(options: SpawnOptions = {}): Promise<ServerProcess> {
  const args = ['serve', ...(options.args ?? []), '--port', '0', '--admin-port', '0'];
  const { child, output, exited } = spawnCli({ ...options, args });
  const banner = await waitFor('the banner of plugind serve', () => {
    if (child.exitCode !== null)
      throw new Error(`plugind exited ${child.exitCode}: ${output.stderr}`);
    const url = /plugind serves (http:\S+)/.exec(output.stderr)?.[1];
    const adminUrl = /status\s+(http:\S+)\/status/.exec(output.stderr)?.[1];
    return url !== undefined && adminUrl !== undefined && { url, adminUrl };
  });
  return {
    child,
    ...banner,
    port: Number(new URL(banner.url).port),
    output,
    stop: async () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/** Without what a developer's shell or another supervisor may have set. */
export function cleanEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(PLUGIND_|PORT$|pm_|PM2_|NODE_APP_INSTANCE|NODE_OPTIONS|NODE_TEST)/.test(name),
  );
  return Object.fromEntries(kept) as Record<string, string>;
}
