/** The error for a guest that stopped by itself, without a limit of the host's that ended it. */
import { ServerError } from '../errors.ts';
import type { GuestWasi } from './wasi/guest-wasi.ts';

export interface FailedCall {
  readonly wasi: GuestWasi | null;
  readonly maxPages: number;
  /** Whether it was refused memory, which then is why. */
  readonly wasRefused: boolean;
}

export function guestFailure(
  cause: unknown,
  { wasi, maxPages, wasRefused }: FailedCall,
): ServerError {
  if (wasRefused) {
    const message = `the plugin needs more than ${maxPages} pages of memory`;
    const details = { limit: 'memory.maxPages', maxPages };
    return new ServerError('PLUGIN_LIMIT', message, { cause, details });
  }
  return new ServerError('PLUGIN_TRAPPED', reasonOf(cause, wasi), { cause });
}

function reasonOf(thrown: unknown, wasi: GuestWasi | null): string {
  if (wasi?.isExit(thrown) === true) return `the plugin exited with code ${wasi.exitCode}`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}
