/**
 * A worker's side of the channel to its primary, ours or pm2's: it hears that the primary is gone,
 * and from ours why the app is not ready; it tells ours why it cannot start.
 * Used by the worker's entry in cli/.
 */
import cluster from 'node:cluster';
import { PRIMARY_GONE } from '../worker/stop-reason.ts';
import { type FailedMessage, isNotReady, READY_MESSAGE } from './worker-messages.ts';

export interface PrimaryLink {
  /** Resolves when the primary is gone; never where there is none. */
  readonly gone: Promise<typeof PRIMARY_GONE>;
  /** Why the primary takes the app for not ready, as last heard. */
  readonly notReady: () => readonly string[];
  /** All listeners are bound. */
  sayReady(): void;
  /** Resolves when it is said. */
  sayFailed(message: string): Promise<void>;
}

/** Listens from here on. */
export function createPrimaryLink(options: { readonly isOwnPrimary: boolean }): PrimaryLink {
  let reasons: readonly string[] = [];
  if (options.isOwnPrimary) {
    process.on('message', (message) => {
      if (isNotReady(message)) reasons = message.reasons;
    });
    // Meant for the primary; a terminal that is closed gives SIGHUP to the whole process group.
    for (const signal of ['SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => {});
  }
  return {
    gone: primaryGone(),
    notReady: () => reasons,
    sayReady: () => process.send?.(READY_MESSAGE),
    sayFailed: (message) => {
      if (!options.isOwnPrimary || !process.connected) return Promise.resolve();
      const failed: FailedMessage = { plugind: 'failed', message };
      return new Promise((resolve) => process.send?.(failed, () => resolve()));
    },
  };
}

function primaryGone(): Promise<typeof PRIMARY_GONE> {
  return new Promise((resolve) => {
    const { worker } = cluster;
    worker?.once('disconnect', () => {
      // Node ends a worker at once, with its requests in flight, unless it left on purpose:
      // https://nodejs.org/api/cluster.html#event-disconnect
      worker.exitedAfterDisconnect = true;
      resolve(PRIMARY_GONE);
    });
  });
}
