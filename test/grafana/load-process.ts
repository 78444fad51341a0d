/** The real load client in a child process, with its metrics on a port that the system chose. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { ROOT } from '../helpers/paths.ts';
import { cleanEnvironment } from '../helpers/server-process.ts';
import { waitFor } from '../helpers/wait-for.ts';

export interface LoadProcess {
  /** `HOST:PORT` of its metrics. */
  readonly address: string;
  /** Interrupts it. Idempotent. */
  stop(): Promise<void>;
}

export async function startLoadProcess(url: string, args: readonly string[]): Promise<LoadProcess> {
  const cli = path.join(ROOT, 'bench/load/cli.ts');
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', cli, url, ...args, '--metrics-port', '0'],
    { cwd: ROOT, env: cleanEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exited = once(child, 'exit');
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const address = await waitFor('the metrics of the load client', () => {
    if (child.exitCode !== null) throw new Error(`load client exited ${child.exitCode}: ${log}`);
    return /metrics http:\/\/(\S+)\/metrics/.exec(log)?.[1];
  });
  return {
    address,
    stop: async () => {
      child.kill('SIGINT');
      await exited;
    },
  };
}
