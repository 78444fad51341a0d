/**
 * The loops of one function body, as a tree with the body itself as number 0. Filled while the body
 * is walked and settled at its end, when it is known which loops have a branch back to their head:
 * only those repeat, the others are straight code and their cost goes to what encloses them.
 */

/** No charge is higher, so that a subtraction from a non-negative counter can never wrap round. */
const MAX_CHARGE = 2 ** 30 - 1;

export class LoopTree {
  count = 0;
  parent: Int32Array = new Int32Array(64);
  /** 1 if something branches to the loop's head. */
  repeats: Uint8Array = new Uint8Array(64);
  /** 1 if something in the loop may change the counter elsewhere: calls that return, bulk operations. */
  changesFuel: Uint8Array = new Uint8Array(64);
  /** The innermost enclosing loop that repeats, 0 if there is none. */
  outer: Int32Array = new Int32Array(64);
  /** Number of repeating loops from the root to this one, itself included. */
  depth: Int32Array = new Int32Array(64);
  #cost: Float64Array = new Float64Array(64);

  clear(): void {
    this.count = 0;
    this.open(-1);
  }

  open(parent: number): number {
    const id = this.count;
    if (id === this.parent.length) this.#grow();
    this.count = id + 1;
    this.parent[id] = parent;
    this.repeats[id] = 0;
    this.changesFuel[id] = 0;
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
      const parent = this.parent[id] as number;
      if (this.repeats[id] === 0) this.addCost(parent, this.#cost[id] as number);
      if (this.changesFuel[id] === 1) this.changesFuel[parent] = 1;
    }
    this.depth[0] = 0;
    this.outer[0] = 0;
    for (let id = 1; id < this.count; id += 1) {
      const parent = this.parent[id] as number;
      this.outer[id] = this.repeats[parent] === 1 ? parent : (this.outer[parent] as number);
      this.depth[id] = (this.depth[parent] as number) + (this.repeats[id] as number);
    }
  }

  #grow(): void {
    const size = this.parent.length * 2;
    const grown = <T extends Int32Array | Uint8Array | Float64Array>(next: T, old: T): T => {
      next.set(old);
      return next;
    };
    this.parent = grown(new Int32Array(size), this.parent);
    this.repeats = grown(new Uint8Array(size), this.repeats);
    this.changesFuel = grown(new Uint8Array(size), this.changesFuel);
    this.outer = grown(new Int32Array(size), this.outer);
    this.depth = grown(new Int32Array(size), this.depth);
    this.#cost = grown(new Float64Array(size), this.#cost);
  }
}
