/** Runs a load program of the system and hands back its report. */

import { spawn } from 'node:child_process';
import { BadOptions } from './bad-options.ts';
import type { LoadOptions } from './load-options.ts';

/** A load program that is not installed, or that gave up. */
export class ProgramFailed extends Error {}

/** An abort is passed on as SIGINT, on which both programs print what they have. @throws ProgramFailed */
export function runProgram(
  program: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let report = '';
    let complaint = '';
    const interrupt = (): void => {
      child.kill('SIGINT');
    };
    child.stdout.on('data', (chunk: Buffer) => {
      report += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    child.once('error', ({ message }) =>
      reject(new ProgramFailed(`${program} cannot be run: ${message}`)),
    );
    child.once('close', (code) => {
      signal?.removeEventListener('abort', interrupt);
      const isDone = code === 0 || signal?.aborted === true;
      if (isDone) resolve(report);
      else reject(new ProgramFailed(`${program} exited ${code}: ${complaint || report}`));
    });
    signal?.addEventListener('abort', interrupt, { once: true });
    if (signal?.aborted === true) interrupt();
  });
}

/** The one body that these programs send. @throws BadOptions for traffic of more than one. */
export function onlyBody(program: string, { traffic }: LoadOptions): string {
  if (traffic.kind !== 'fixed' || typeof traffic.body !== 'string') {
    throw new BadOptions(`${program} sends one text only: traffic must be fixed`);
  }
  return traffic.body;
}
