/**
 * Writes the pieces of code that subtract from the counter and ask for more. In a loop that nothing
 * else changes the counter in, it is read from a local; it is always written to the global too, so
 * that nothing has to be put back on any way out. Used by rewrite-code.
 */

import type { Additions } from './additions.ts';
import type { ByteWriter } from './byte-writer.ts';
import { OP } from './opcodes.ts';

export class ChargeWriter {
  /** Index of the added i32 local, in the body at hand. */
  local = 0;
  readonly #added: Additions;

  constructor(added: Additions) {
    this.#added = added;
  }

  /** The charge at a function's entry. */
  entry(out: ByteWriter, charge: number): void {
    this.#difference(out, false, charge);
    this.#isNegative(out);
    out.append([OP.if, OP.emptyBlock]);
    this.refill(out, 0);
    this.loadLocal(out);
    out.u8(OP.end);
    this.#local(out, OP.localGet);
    this.#global(out, OP.globalSet);
  }

  /** Subtracts and leaves on the stack whether that was too much. */
  subtract(out: ByteWriter, mirrored: boolean, charge: number): void {
    this.#difference(out, mirrored, charge);
    this.#global(out, OP.globalSet);
    this.#local(out, OP.localGet);
    this.#isNegative(out);
  }

  /** A charge within straight code, where no local holds the counter. */
  check(out: ByteWriter, charge: number): void {
    this.#global(out, OP.globalGet);
    out.u8(OP.i32Const);
    out.s32(charge);
    out.u8(OP.i32Sub);
    this.#global(out, OP.globalSet);
    this.refillIfNegative(out, 0);
  }

  refillIfNegative(out: ByteWriter, extra: number): void {
    this.#global(out, OP.globalGet);
    this.#isNegative(out);
    out.append([OP.if, OP.emptyBlock]);
    this.refill(out, extra);
    out.u8(OP.end);
  }

  /** The host's answer becomes the counter, plus what the next charge will take from it. */
  refill(out: ByteWriter, extra: number): void {
    out.u8(OP.i32Const);
    out.s32(extra);
    out.u8(OP.call);
    out.u32(this.#added.refill);
  }

  loadLocal(out: ByteWriter): void {
    this.#global(out, OP.globalGet);
    this.#local(out, OP.localSet);
  }

  /** `local = counter - charge`, left on the stack. */
  #difference(out: ByteWriter, mirrored: boolean, charge: number): void {
    if (mirrored) this.#local(out, OP.localGet);
    else this.#global(out, OP.globalGet);
    out.u8(OP.i32Const);
    out.s32(charge);
    out.u8(OP.i32Sub);
    this.#local(out, OP.localTee);
  }

  #isNegative(out: ByteWriter): void {
    out.append([OP.i32Const, 0, OP.i32LtS]);
  }

  #local(out: ByteWriter, opcode: number): void {
    out.u8(opcode);
    out.u32(this.local);
  }

  #global(out: ByteWriter, opcode: number): void {
    out.u8(opcode);
    out.u32(this.#added.fuelGlobal);
  }
}
