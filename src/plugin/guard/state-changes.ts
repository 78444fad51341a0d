/**
 * Collects, while code is walked, the operations that change state which a snapshot of memory and
 * globals does not hold, and which tables, or whether the memory, can grow. Read by snapshot-check,
 * limits and guard.
 */
import { MISC } from './opcodes.ts';

/** Cost in units of fuel of each operation before its length is counted, and what it is called. */
const OPERATIONS: ReadonlyMap<number, readonly [name: string, cost: number]> = new Map([
  [MISC.memoryInit, ['memory.init', 16]],
  [MISC.dataDrop, ['data.drop', 16]],
  [MISC.memoryCopy, ['memory.copy', 8]],
  [MISC.memoryFill, ['memory.fill', 8]],
  [MISC.tableInit, ['table.init', 48]],
  [MISC.elemDrop, ['elem.drop', 16]],
  [MISC.tableCopy, ['table.copy', 48]],
  [MISC.tableGrow, ['table.grow', 48]],
  [MISC.tableFill, ['table.fill', 48]],
]);

/** What these write is memory, which a snapshot holds; memory.init leaves its segment as it was. */
const HELD_BY_SNAPSHOT: ReadonlySet<number> = new Set([
  MISC.memoryInit,
  MISC.memoryCopy,
  MISC.memoryFill,
]);

export class StateChanges {
  readonly #names = new Set<string>();
  readonly grownTables: Set<number> = new Set();
  growsMemory = false;

  /** Names of the operations found that a snapshot cannot undo. */
  get names(): readonly string[] {
    return [...this.#names].sort();
  }

  note(name: string): void {
    this.#names.add(name);
  }

  /** Notes an operation of the 0xfc group, whose first immediate is given, and returns its cost. */
  noteMisc(sub: number, first: number): number {
    const [name, cost] = OPERATIONS.get(sub) ?? [`0xfc ${sub}`, 0];
    if (!HELD_BY_SNAPSHOT.has(sub)) this.note(name);
    if (sub === MISC.tableGrow) this.grownTables.add(first);
    return cost;
  }
}
