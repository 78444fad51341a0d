/**
 * The blocks that are open at one place of a function body: the loop that each is in, and how far the
 * costliest way from the last check to this place is. A branch may go round a check, so the distance
 * is kept for each label, and where ways meet the longest counts. Used by body-scan, which puts a
 * check wherever it gets too long.
 *
 * Ways are followed forwards only: whoever goes back to a loop's head pays for a whole round there,
 * for what it does next and for what it left undone of the round before.
 */

/** What runs at once after its charge: a refill lets it through, however much it is. */
const MAX_DISTANCE = 10_000;
/**
 * The same after a call that may have asked for fuel since the charge, when each frame on a full
 * stack, some 15,000, can have so much left to do. Less would put checks into ordinary functions.
 */
const MAX_DISTANCE_AFTER_CALL = 500;

export class OpenBlocks {
  /** The body itself is the first. */
  depth = 0;
  /** A check is due once the body's cost, from its beginning, is more than this. */
  dueAt = 0;
  #limit = 0;
  #hasCalled = false;
  #loops: Int32Array = new Int32Array(256);
  /** The longest distance of those that branch to the end of each block. */
  #arriving: Int32Array = new Int32Array(256);

  /** At the beginning of a body. */
  begin(): void {
    this.#limit = MAX_DISTANCE;
    this.#hasCalled = false;
    this.depth = 0;
    this.restart(0);
    this.open(0, 0, false);
  }

  /** Opens a block in a loop; `isIf`: one that can be left out. */
  open(loop: number, cost: number, isIf: boolean): void {
    if (this.depth === this.#loops.length) this.#grow();
    this.#loops[this.depth] = loop;
    this.#arriving[this.depth] = isIf ? this.#distance(cost) : 0;
    this.depth += 1;
  }

  /** Closes the innermost block. */
  close(cost: number): void {
    this.depth -= 1;
    this.#lengthen(this.#arriving[this.depth] as number, cost);
  }

  /** From the end of an `if` to its `else`, which begins where the `if` did. */
  otherwise(cost: number): void {
    const before = this.#arriving[this.depth - 1] as number;
    this.branch(this.depth - 1, cost);
    this.restart(cost);
    this.#lengthen(before, cost);
  }

  /** A branch to the end of that block, counted from the body on. */
  branch(block: number, cost: number): void {
    const distance = this.#distance(cost);
    if (distance > (this.#arriving[block] as number)) this.#arriving[block] = distance;
  }

  /** The loop that the block is in, or brings in. */
  loopOf(block: number): number {
    return this.#loops[block] as number;
  }

  /** A call has returned that may have asked for fuel. */
  called(cost: number): void {
    if (this.#hasCalled) return;
    this.#hasCalled = true;
    this.#limit = MAX_DISTANCE_AFTER_CALL;
    this.restart(cost);
  }

  /** Nothing leads to here but what branches, or a check stands here. */
  restart(cost: number): void {
    this.dueAt = cost + this.#limit;
  }

  /** A check stands here; returns what it charges. */
  check(cost: number): number {
    const distance = this.#distance(cost);
    this.restart(cost);
    return distance;
  }

  #distance(cost: number): number {
    return cost + this.#limit - this.dueAt;
  }

  #lengthen(distance: number, cost: number): void {
    this.dueAt = Math.min(this.dueAt, cost + this.#limit - distance);
  }

  #grow(): void {
    const grown = (old: Int32Array): Int32Array => {
      const next = new Int32Array(old.length * 2);
      next.set(old);
      return next;
    };
    this.#loops = grown(this.#loops);
    this.#arriving = grown(this.#arriving);
  }
}
