/**
 * Finds small functions that need no charge at their entry because every caller can pay for them:
 * they call nothing but functions already found free, so no recursion leads through them, and
 * their loops still charge themselves. Inner loops often call such functions, and a charge at
 * each of these calls would cost more than the function does.
 */
import type { BodyScan } from './body-scan.ts';
import type { CallCosts } from './call-costs.ts';
import type { ModuleFacts } from './module-facts.ts';

/** A call through a table is charged less than this, so it bounds how much can go uncounted. */
const MAX_FREE_COST = 250;
/** Longer bodies cost more than that anyway. */
const MAX_FREE_BYTES = 1000;
/** Each round finds the callers of those found in the round before. */
const ROUNDS = 3;

export function findFreeFunctions(facts: ModuleFacts, scan: BodyScan, costs: CallCosts): void {
  let candidates: number[] = [];
  for (const [body, start] of facts.bodyStarts.entries()) {
    const length = (facts.bodyEnds[body] as number) - start;
    if (length <= MAX_FREE_BYTES) candidates.push(facts.importedFunctions + body);
  }
  for (let round = 0; round < ROUNDS && candidates.length > 0; round += 1) {
    const left: number[] = [];
    for (const index of candidates) {
      scan.scan(index);
      const cost = scan.loops.charge(0);
      if (cost > MAX_FREE_COST) continue;
      if (scan.callsOthers) left.push(index);
      else costs.setFree(index, cost, scan.loops.changesFuel[0] === 0);
    }
    if (left.length === candidates.length) return;
    candidates = left;
  }
}
