/**
 * What the guard appends to a module beside its exports: types, functions (their bodies are in
 * runtime-functions.ts), the fuel counter, and the table of what the host answers.
 *
 * Where a snapshot is to be laid back, a memory that can grow gets a *size of its own* as well: a
 * wasm memory never shrinks, so the guest is shown a counter that starts anew and grows within what the
 * memory has already. What lies beyond it is zero, as the snapshot leaves it and grow hands it out.
 */
import type { ByteWriter } from './byte-writer.ts';
import type { ModuleFacts } from './module-facts.ts';
import { OP } from './opcodes.ts';

/** Slots of the table of what the host answers (guarded-module.ts). */
export const REFUEL_SLOT = 0;
export const GROW_SLOT = 1;
export const HOST_SLOTS = 2;

/** Indices of everything the guard appends to a module. */
export interface Additions {
  readonly fuelGlobal: number;
  /** The memory's own size in pages; null where memory.size and memory.grow go by the real one. */
  readonly sizeGlobal: number | null;
  readonly checkTable: number;
  /** `() -> i32` */
  readonly checkType: number;
  /** `(i32) -> ()` */
  readonly refillType: number;
  /** `(i32, i32, i32) -> i32` */
  readonly chargeType: number;
  /** `(i32, i32, i32) -> ()` */
  readonly bulkType: number;
  /** `(i32) -> i32` */
  readonly growType: number;
  /** `(extra)`: asks the host; the counter becomes its answer plus `extra`. */
  readonly refill: number;
  /** `(n, shift, base) -> n`: charges base + (n >> shift). */
  readonly charge: number;
  /** memory.fill, memory.copy and memory.grow by another name; only in a module with a memory. */
  readonly fill: number;
  readonly copy: number;
  readonly grow: number;
  /** `() -> pages`, the real ones; only in a module with a memory. */
  readonly pages: number;
}

export function planAdditions(facts: ModuleFacts, hasOwnSize: boolean): Additions {
  const types = facts.types.starts.length;
  const functions = facts.functionTypes.length;
  return {
    fuelGlobal: facts.globalTypes.length,
    sizeGlobal: hasOwnSize ? facts.globalTypes.length + 1 : null,
    checkTable: facts.tables.length,
    checkType: types,
    refillType: types + 1,
    chargeType: types + 2,
    bulkType: types + 3,
    growType: types + 4,
    refill: functions,
    charge: functions + 1,
    fill: functions + 2,
    copy: functions + 3,
    grow: functions + 4,
    pages: functions + 5,
  };
}

/** The types of the additions, in the order of their indices. */
export function writeAddedTypes(writer: ByteWriter): number {
  const { i32 } = OP;
  writer.append([0x60, 0, 1, i32]);
  writer.append([0x60, 1, i32, 0]);
  writer.append([0x60, 3, i32, i32, i32, 1, i32]);
  writer.append([0x60, 3, i32, i32, i32, 0]);
  writer.append([0x60, 1, i32, 1, i32]);
  return 5;
}

/** Type indices of the added functions, in their order. */
export function addedFunctionTypes(facts: ModuleFacts, added: Additions): readonly number[] {
  const { refillType, chargeType, bulkType, growType, checkType } = added;
  const always = [refillType, chargeType];
  return facts.memory === undefined ? always : [...always, bulkType, bulkType, growType, checkType];
}
