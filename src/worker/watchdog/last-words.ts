/**
 * What the watchdog says before it kills: one line on standard error and in pm2's error log of the
 * app, and the slot's hang record. Each is tried at once, and none is waited for longer than a
 * moment: the kill must come though a disk or a reader stands still.
 */
import { appendFile, write } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { processIdentity } from '../process-identity.ts';
import { type HangRecord, hangRecordPath, readHangRecord } from './hang-record.ts';
import type { RunningCall } from './watch-memory.ts';

export interface LastWordsOptions {
  readonly slot: string;
  readonly pid: number;
  readonly primaryPid: number;
  readonly runDir: string;
  /** The file where pm2 keeps the app's errors: standard error goes to its own log there. */
  readonly errorLog: string | null;
}

const STDERR = 2;
const FATAL = 60;
const LONGEST_MS = 200;

/** Says that the main thread hangs, in which call, and counts it. */
export async function sayHung(
  options: LastWordsOptions,
  call: RunningCall | null,
  hungMs: number,
): Promise<void> {
  const { plugin, function: functionName } = call ?? { plugin: null, function: null };
  const where = call === null ? 'outside plugins' : `in ${plugin}.${functionName}`;
  await within(LONGEST_MS, [
    ...sayLine(options, {
      plugin,
      function: functionName,
      hungMs,
      msg: `watchdog: the worker hangs ${where}, killing it`,
    }),
    record(options, plugin, functionName),
  ]);
}

/** Says that the primary is gone and the worker did not leave. */
export async function sayOrphaned(options: LastWordsOptions): Promise<void> {
  const msg = 'watchdog: the primary is gone and the worker did not leave, killing it';
  await within(LONGEST_MS, sayLine(options, { msg }));
}

function sayLine(
  { slot, pid, errorLog }: LastWordsOptions,
  fields: Readonly<Record<string, unknown>>,
): Promise<unknown>[] {
  const time = new Date().toISOString();
  const line = `${JSON.stringify({ level: FATAL, time, worker: slot, pid, ...fields })}\n`;
  const said = [new Promise((resolve) => write(STDERR, line, resolve))];
  if (errorLog !== null) {
    said.push(new Promise((resolve) => appendFile(errorLog, line, resolve)));
  }
  return said;
}

async function record(
  { runDir, slot, pid, primaryPid }: LastWordsOptions,
  plugin: string | null,
  functionName: string | null,
): Promise<void> {
  const hangs = (readHangRecord(runDir, slot, primaryPid)?.hangs ?? 0) + 1;
  const primary = processIdentity(primaryPid);
  const at = Date.now();
  const content: HangRecord = { hangs, primary, pid, at, plugin, function: functionName };
  const file = hangRecordPath(runDir, slot);
  await writeFile(`${file}.${pid}`, JSON.stringify(content), { mode: 0o600 });
  await rename(`${file}.${pid}`, file);
}

async function within(ms: number, work: readonly Promise<unknown>[]): Promise<void> {
  const timeout = new Promise((resolve) => setTimeout(resolve, ms));
  await Promise.race([Promise.allSettled(work), timeout]);
}
