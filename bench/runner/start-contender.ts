/** One server under test in a process group of its own: started, asked for its addresses, ended by its pid. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Contender, ROOT, type Served } from '../contenders.ts';

const LISTENING = /(?:listening|plugind serves) (http:\S+)/;
const ADMIN = /status\s+(http:\S+)\/status/;
/** Generous: on a busy machine a cluster takes its time. */
const START_CAP_MS = 60_000;
const STOP_CAP_MS = 15_000;
/** plugind's exit code for what it cannot serve here, as an engine that lacks something. */
const MISTAKE = 2;

export interface RunningContender {
  readonly contender: Contender;
  readonly pid: number;
  readonly url: string;
  /** Where it serves metrics; null: it does not. */
  readonly adminUrl: string | null;
  /** Sizes of bodies that it was warmed up for, as powers of ten. */
  readonly warmFor: Set<number>;
  isAlive(): boolean;
  /**
   * Runs it only while this lasts. Stopped, since an idle server is not free: timers of a dozen Node
   * processes, which measure their event loops, took an eighth of a CPU from the one that was measured.
   */
  whileRunning<T>(work: () => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

/** A server that says that it cannot serve this here; it is left out, with its reason. */
export class NotHere extends Error {}

/** @throws NotHere, or Error when it ends or does not listen in time. */
export async function startContender(
  contender: Contender,
  served: Served,
): Promise<RunningContender> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'plugind-bench-'));
  const { program, args } = contender.command(served, folder);
  const child = spawn(program, [...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C is this process's to handle, and the group can be ended as a whole.
    detached: true,
    env: { ...cleanEnvironment(), PLUGIND_RUN_DIR: path.join(folder, 'run') },
  });
  const closed = once(child, 'close');
  const stop = async (): Promise<void> => {
    endGroup(child, 'SIGTERM');
    const timer = setTimeout(() => endGroup(child, 'SIGKILL'), STOP_CAP_MS);
    await closed;
    clearTimeout(timer);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const { url, adminUrl } = await readAddresses(child, contender, folder);
    const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
    const { pid = 0 } = child;
    const whileRunning = async <T>(work: () => Promise<T>): Promise<T> => {
      signalGroup(child, 'SIGCONT');
      try {
        return await work();
      } finally {
        signalGroup(child, 'SIGSTOP');
      }
    };
    signalGroup(child, 'SIGSTOP');
    return { contender, pid, url, adminUrl, warmFor: new Set(), isAlive, whileRunning, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Without what the caller's shell may have set for servers of its own. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(PLUGIND_|PORT$|NODE_|GO(GC|MAXPROCS|MEMLIMIT|DEBUG)$)/.test(name),
  );
  return { ...Object.fromEntries(kept), NODE_ENV: 'production' };
}

function endGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  signalGroup(child, 'SIGCONT');
  // plugind's primary passes SIGTERM on itself; the group gets it where that no longer helps.
  if (signal === 'SIGTERM') child.kill(signal);
  else signalGroup(child, signal);
}

function signalGroup(child: ChildProcess, signal: 'SIGCONT' | 'SIGSTOP' | 'SIGKILL'): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, signal);
}

function readAddresses(
  child: ChildProcess,
  contender: Contender,
  folder: string,
): Promise<{ url: string; adminUrl: string | null }> {
  return new Promise((resolve, reject) => {
    let written = '';
    const fail = (reason: string): void => {
      reject(new Error(`${contender.name} ${reason}: ${written.trim()}`));
    };
    const timer = setTimeout(() => fail('does not listen'), START_CAP_MS);
    const read = (chunk: Buffer): void => {
      written += chunk.toString();
      const url = LISTENING.exec(written)?.[1];
      const adminUrl = ADMIN.exec(written)?.[1] ?? null;
      if (url === undefined || (contender.family === 'plugind' && adminUrl === null)) return;
      // What it writes later is read and dropped, so that its pipe never fills.
      written = '';
      clearTimeout(timer);
      resolve({ url, adminUrl });
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('error', (error) => fail(`cannot be started (${error.message})`));
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === MISTAKE && contender.family === 'plugind') {
        const lastLine = written.trim().split('\n').at(-1) ?? '';
        reject(new NotHere(lastLine.replaceAll(`${folder}${path.sep}`, '')));
      } else fail(`exited ${code}`);
    });
  });
}
