/** Why a worker leaves, and whether the app goes on without it. */
import { isSlotTaken } from './slot-claims.ts';
import type { WorkerRole } from './worker-role.ts';

/** Why a worker is to leave: a signal's name, a word of its primary's, or that this is gone. */
export type StopReason = string;

/** Our own primary's word to a worker that leaves while others serve on, as in a roll. */
export const RETIRE = 'retire';

/** The primary ended without stopping its workers first. */
export const PRIMARY_GONE = 'primary gone';

/**
 * Whether the app goes on without this worker. pm2 does not say so, but in a reload the follower
 * has taken the slot by then.
 */
export function doOthersServe(role: WorkerRole, runDir: string, reason: StopReason): boolean {
  if (reason === PRIMARY_GONE) return false;
  if (role.hasOwnPrimary) return reason === RETIRE;
  return isSlotTaken(runDir, role.slot, process.pid);
}
