/**
 * Hangs of one slot, counted in the run directory, where the count survives the worker. The
 * watchdog that kills adds one; the slot's next worker, and our own primary, read it.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { processIdentity } from '../process-identity.ts';

/** What is known of a slot's hangs. */
export interface HangRecord {
  /** How many there were since the primary started. */
  readonly hangs: number;
  /** Identity of that primary. */
  readonly primary: string;
  /** Process id of the worker that hung last. */
  readonly pid: number;
  /** Wall clock in ms at which it was killed. */
  readonly at: number;
  /** What it hung in; null outside plugins. */
  readonly plugin: string | null;
  readonly function: string | null;
}

export function hangRecordPath(runDir: string, slot: string): string {
  return path.join(runDir, `hangs-w${slot}.json`);
}

/** Null when no worker of the slot hung under this primary. */
export function readHangRecord(
  runDir: string,
  slot: string,
  primaryPid: number,
): HangRecord | null {
  try {
    const record = JSON.parse(readFileSync(hangRecordPath(runDir, slot), 'utf8')) as HangRecord;
    return record.primary === processIdentity(primaryPid) ? record : null;
  } catch {
    return null;
  }
}
