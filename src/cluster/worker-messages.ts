/**
 * What a worker and our own primary say to each other over the cluster's channel. Both sides
 * import it; anything else on the channel is ignored.
 */
import type { RETIRE } from '../worker/stop-reason.ts';

/** Sent by a worker once all its listeners are bound; pm2 knows the same word. */
export const READY_MESSAGE = 'ready';
/**
 * Asks a worker to drain and leave: with all the others (pm2 sends the same word), or alone while
 * they serve on.
 */
export type LeaveMessage = 'shutdown' | typeof RETIRE;
/** A worker's exit code for a mistake that only the operator can mend. */
export const EXIT_OPERATOR_MISTAKE = 2;

/** Why a worker could not start, sent by it before it exits. */
export interface FailedMessage {
  readonly plugind: 'failed';
  readonly message: string;
}

/** Why `/readyz` says no though the worker is ready, sent by the primary; empty when all is well. */
export interface NotReadyMessage {
  readonly plugind: 'not-ready';
  readonly reasons: readonly string[];
}

export function isFailed(message: unknown): message is FailedMessage {
  return isOf(message, 'failed');
}

export function isNotReady(message: unknown): message is NotReadyMessage {
  return isOf(message, 'not-ready');
}

function isOf(message: unknown, kind: string): boolean {
  return (message as { plugind?: unknown } | null)?.plugind === kind;
}
