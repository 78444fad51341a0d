/**
 * The places in one function body that the rewriting has to look at, in the order of their bytes:
 * six numbers each, in one growing array that is used again for every body.
 */

/** A loop's opcode: `a` is the loop. */
export const EVENT_LOOP = 0;
/** After the `end` of a loop: `a` is the loop. */
export const EVENT_LOOP_END = 1;
/** A label index that leaves a loop: `a` its value, `b` the loop it is in, `c` the loop it leads to. */
export const EVENT_LABEL = 2;
/** An operation that costs by its operand: `a` is the sub-opcode after 0xfc, or MEMORY_GROW_EVENT. */
export const EVENT_BULK = 3;
/** Nothing that is replaced: a place for a charge in straight code, of `a`. */
export const EVENT_CHECK = 4;
/** memory.size, which is replaced where the memory has a size of its own (additions.ts). */
export const EVENT_MEMORY_SIZE = 5;

/** Stands for memory.grow, which has no sub-opcode. */
export const MEMORY_GROW_EVENT = -1;

const STRIDE = 6;

export class CodeEvents {
  #length = 0;
  #values: Int32Array = new Int32Array(STRIDE * 256);

  get count(): number {
    return this.#length / STRIDE;
  }

  clear(): void {
    this.#length = 0;
  }

  push(kind: number, start: number, end: number, a: number, b = 0, c = 0): void {
    if (this.#length === this.#values.length) {
      const next = new Int32Array(this.#values.length * 2);
      next.set(this.#values);
      this.#values = next;
    }
    const values = this.#values;
    const at = this.#length;
    values[at] = kind;
    values[at + 1] = start;
    values[at + 2] = end;
    values[at + 3] = a;
    values[at + 4] = b;
    values[at + 5] = c;
    this.#length = at + STRIDE;
  }

  kind(index: number): number {
    return this.#values[index * STRIDE] as number;
  }
  /** Where the place begins. */
  start(index: number): number {
    return this.#values[index * STRIDE + 1] as number;
  }
  /** Where the bytes after it begin. */
  end(index: number): number {
    return this.#values[index * STRIDE + 2] as number;
  }
  a(index: number): number {
    return this.#values[index * STRIDE + 3] as number;
  }
  b(index: number): number {
    return this.#values[index * STRIDE + 4] as number;
  }
  c(index: number): number {
    return this.#values[index * STRIDE + 5] as number;
  }
}
