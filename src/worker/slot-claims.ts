/**
 * Which slots are meant to be filled, where the supervisor does not say: under pm2 the number in
 * the environment is the one at the start, and stale after `pm2 scale`. Each worker leaves a file
 * in the run directory with its addresses and takes it away when it was asked to leave; one that
 * dies leaves it, and so stays expected. Read by metrics, `/status` and `npm run reload`.
 */
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isProcessGone } from '../admin/sibling-socket.ts';
import type { ListenConfig } from '../config/types.ts';

/** What a worker says of itself. */
export interface SlotClaim {
  readonly pid: number;
  readonly listen: ListenConfig;
  readonly admin: ListenConfig;
}

const NAME = /^slot-\d{1,9}\.json$/;

/** Takes the slot, also from the worker that this one is to follow in a reload. */
export function claimSlot(runDir: string, slot: string, claim: SlotClaim): void {
  const file = claimPath(runDir, slot);
  const { pid, listen, admin } = claim;
  // Addresses only: the admin listener's token is nobody else's business.
  const content: SlotClaim = { pid, listen: address(listen), admin: address(admin) };
  writeFileSync(`${file}.${pid}`, JSON.stringify(content), { mode: 0o600 });
  renameSync(`${file}.${pid}`, file);
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

/** Every claim there is; of dead workers too. */
export function readClaims(runDir: string): SlotClaim[] {
  try {
    return readdirSync(runDir)
      .filter((name) => NAME.test(name))
      .map((name) => readClaim(path.join(runDir, name)))
      .filter((claim) => claim !== null);
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
