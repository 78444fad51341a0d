/**
 * The loops of one function body, as a tree with the body itself as number 0. Filled while the body
 * is walked and settled at its end, when it is known which loops have a branch back to their head:
 * only those repeat and are charged, the others are straight code.
 */

/** How many labels the charging code puts around a loop. */
const ADDED_LABELS = 3;
/** The same for a loop with parameters, which has a form of its own. */
const ADDED_LABELS_WITH_PARAMETERS = 1;

/** No charge is higher, so that a subtraction from a non-negative counter can never wrap round. */
const MAX_CHARGE = 2 ** 30 - 1;

export class LoopTree {
  count = 0;
  /** 1 if something branches to the loop's head. */
  repeats: Uint8Array = new Uint8Array(64);
  /** 1 if the loop's block type has parameters. */
  hasParameters: Uint8Array = new Uint8Array(64);
  /** 1 if something in the loop changes the counter elsewhere: calls that return, inner loops. */
  changesFuel: Uint8Array = new Uint8Array(64);
  /** Settled: how many labels the guard adds from the body down to the inside of this loop. */
  addedLabels: Int32Array = new Int32Array(64);
  #parent: Int32Array = new Int32Array(64);
  #cost: Float64Array = new Float64Array(64);

  clear(): void {
    this.count = 0;
    this.open(-1);
  }

  open(parent: number): number {
    const id = this.count;
    if (id === this.#parent.length) this.#grow();
    this.count = id + 1;
    this.repeats[id] = 0;
    this.hasParameters[id] = 0;
    this.changesFuel[id] = 0;
    this.#parent[id] = parent;
    this.#cost[id] = 0;
    return id;
  }

  addCost(id: number, cost: number): void {
    (this.#cost[id] as number) += cost;
  }

  /** What one pass through the loop's body costs, repeating loops within it left out. */
  charge(id: number): number {
    return Math.min(Math.max(this.#cost[id] as number, 1), MAX_CHARGE);
  }

  settle(): void {
    for (let id = this.count - 1; id > 0; id -= 1) {
      const parent = this.#parent[id] as number;
      if (this.repeats[id] === 0) this.addCost(parent, this.#cost[id] as number);
      if (this.repeats[id] === 1 || this.changesFuel[id] === 1) this.changesFuel[parent] = 1;
    }
    this.addedLabels[0] = 0;
    for (let id = 1; id < this.count; id += 1) {
      const outside = this.addedLabels[this.#parent[id] as number] as number;
      this.addedLabels[id] = outside + this.#labelsAround(id);
    }
  }

  #labelsAround(id: number): number {
    if (this.repeats[id] === 0) return 0;
    return this.hasParameters[id] === 1 ? ADDED_LABELS_WITH_PARAMETERS : ADDED_LABELS;
  }

  #grow(): void {
    const size = this.#parent.length * 2;
    const grown = <T extends Int32Array | Uint8Array | Float64Array>(next: T, old: T): T => {
      next.set(old);
      return next;
    };
    this.repeats = grown(new Uint8Array(size), this.repeats);
    this.hasParameters = grown(new Uint8Array(size), this.hasParameters);
    this.changesFuel = grown(new Uint8Array(size), this.changesFuel);
    this.addedLabels = grown(new Int32Array(size), this.addedLabels);
    this.#parent = grown(new Int32Array(size), this.#parent);
    this.#cost = grown(new Float64Array(size), this.#cost);
  }
}
