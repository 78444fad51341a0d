/**
 * What calling each function costs its caller, and whether the counter may have changed when the
 * call returns. A function that charges itself costs its caller little; one that is *free* (see
 * free-functions) charges nothing at its entry, so its caller pays the whole of it.
 */
import type { ModuleFacts } from './module-facts.ts';

/** A call of a function of this module that charges itself. */
const CALL_COST = 2;
/** A call of an import: a host function takes about this many times as long as an addition. */
const IMPORT_COST = 32;
/** A call through a table, which may reach an import or a free function. */
const INDIRECT_COST = 32;

export class CallCosts {
  readonly #facts: ModuleFacts;
  readonly #costs: Int32Array;
  /** 1 if a call leaves the counter as it was. */
  readonly #keepsFuel: Uint8Array;
  readonly #free: Uint8Array;

  constructor(facts: ModuleFacts) {
    this.#facts = facts;
    const count = facts.functionTypes.length;
    this.#costs = new Int32Array(count);
    this.#keepsFuel = new Uint8Array(count);
    this.#free = new Uint8Array(count);
    for (let index = 0; index < count; index += 1) {
      const base = index < facts.importedFunctions ? IMPORT_COST : CALL_COST;
      this.#costs[index] = base + this.typeCost(facts.functionTypes[index] as number);
    }
  }

  /** Moving parameters and results: V8 allows 1,000 of each. */
  typeCost(type: number): number {
    const { params, results } = this.#facts.types;
    return ((params[type] ?? 0) + (results[type] ?? 0)) >> 1;
  }

  direct(index: number): number {
    return this.#costs[index] ?? IMPORT_COST;
  }

  indirect(type: number): number {
    return INDIRECT_COST + this.typeCost(type);
  }

  keepsFuel(index: number): boolean {
    return this.#keepsFuel[index] === 1;
  }

  isFree(index: number): boolean {
    return this.#free[index] === 1;
  }

  /** Makes the caller pay `cost` for the function, which then has no charge at its entry. */
  setFree(index: number, cost: number, keepsFuel: boolean): void {
    this.#free[index] = 1;
    (this.#costs[index] as number) += cost;
    this.#keepsFuel[index] = keepsFuel ? 1 : 0;
  }
}
