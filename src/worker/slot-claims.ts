/**
 * Which slots are meant to be filled, where the supervisor does not say: under pm2 the number in
 * the environment is the one at the start, and stale after `pm2 scale`. Each worker leaves a file
 * in the run directory with its addresses and takes it away when it was asked to leave; one that
 * dies leaves it, and so stays expected, as long as its primary lives. Read by metrics, `/status`
 * and `npm run reload`.
 */
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isProcessGone } from '../admin/sibling-socket.ts';
import { RUN_FILE_MODE } from '../config/run-file-mode.ts';
import type { ListenConfig } from '../config/types.ts';
import { processIdentity } from './process-identity.ts';

/** What a worker says of itself. */
export interface SlotClaim {
  readonly pid: number;
  /** Identity of its primary. */
  readonly primary: string;
  readonly listen: ListenConfig;
  readonly admin: ListenConfig;
}

const NAME = /^slot-\d{1,9}\.json$/;

/** Takes the slot, also from the worker that this one is to follow in a reload. @throws the system's error. */
export function claimSlot(
  runDir: string,
  slot: string,
  claim: Omit<SlotClaim, 'primary'> & { readonly primaryPid: number },
): void {
  const file = claimPath(runDir, slot);
  const { pid, primaryPid } = claim;
  const primary = processIdentity(primaryPid);
  // Addresses only: the admin listener's token is nobody else's business.
  const [listen, admin] = [address(claim.listen), address(claim.admin)];
  const content: SlotClaim = { pid, primary, listen, admin };
  const partial = `${file}.${pid}`;
  try {
    writeFileSync(partial, JSON.stringify(content), { mode: RUN_FILE_MODE });
    renameSync(partial, file);
  } catch (error) {
    // Its name is this process's: whoever tries again would leave another.
    rmSync(partial, { force: true });
    throw error;
  }
}

/** Gives the slot back, unless another worker has taken it. */
export function releaseSlot(runDir: string, slot: string, pid: number): void {
  const file = claimPath(runDir, slot);
  if (readClaim(file)?.pid === pid) rmSync(file, { force: true });
}

/** Whether another process that lives has taken the slot from this one. */
export function isSlotTaken(runDir: string, slot: string, pid: number): boolean {
  const claim = readClaim(claimPath(runDir, slot));
  return claim !== null && claim.pid !== pid && !isProcessGone(claim.pid);
}

/**
 * Every claim of a worker of this primary, dead workers too. A run directory that was given may hold
 * those of another one: pm2's daemon was killed, or the machine.
 */
export function readClaims(runDir: string, primaryPid: number): SlotClaim[] {
  const primary = processIdentity(primaryPid);
  try {
    return readdirSync(runDir)
      .filter((name) => NAME.test(name))
      .map((name) => readClaim(path.join(runDir, name)))
      .filter((claim) => claim !== null)
      .filter((claim) => claim.primary === primary);
  } catch {
    return [];
  }
}

function address({ host, port }: ListenConfig): ListenConfig {
  return { host, port };
}

function claimPath(runDir: string, slot: string): string {
  return path.join(runDir, `slot-${slot}.json`);
}

function readClaim(file: string): SlotClaim | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SlotClaim;
  } catch {
    return null;
  }
}
