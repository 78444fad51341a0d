/**
 * Writes the code section anew: each body is its original bytes with the charges put in between.
 *
 * A charge subtracts from the counter global and, when it falls below zero, calls `refill`, which
 * traps at the deadline. In loops the call stands outside of the loop's own body:
 *
 *     loop $outer                          if (fuel < 0) refill(c)
 *       loop $original                     fuel -= c; if (fuel < 0) br $outer
 *         ... the original body ...
 *
 * because a call within a tight loop, even one never made, has V8 keep the loop's values in memory:
 * an empty loop took 2.0 times as long, with the call outside 1.15 times. Where nothing in the
 * loop can change the counter elsewhere it is read from a local instead of from the global; it is
 * always written to both, so nothing has to be put back on the way out.
 */
import type { BodyScan } from './body-scan.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { CallCosts } from './call-costs.ts';
import {
  EVENT_BULK,
  EVENT_LABEL,
  EVENT_LOOP,
  EVENT_LOOP_END,
  MEMORY_GROW_EVENT,
} from './code-events.ts';
import { MISC, OP } from './opcodes.ts';
import { type Additions, BYTES_PER_UNIT_LOG2 } from './runtime-functions.ts';

/** memory.grow is a call into V8 that makes a new buffer object. */
const MEMORY_GROW_COST = 500;
/** An element of a table may take a call into V8 each. */
const TABLE_UNITS_LOG2 = 0;

export class CodeRewriter {
  readonly #bytes: Uint8Array;
  readonly #scan: BodyScan;
  readonly #costs: CallCosts;
  readonly #added: Additions;
  /** The local that mirrors the counter, in the body at hand. */
  #local = 0;

  constructor(bytes: Uint8Array, scan: BodyScan, costs: CallCosts, added: Additions) {
    this.#bytes = bytes;
    this.#scan = scan;
    this.#costs = costs;
    this.#added = added;
  }

  /** Walks one body and writes it, without its length, to `out`. */
  rewrite(index: number, out: ByteWriter): void {
    const scan = this.#scan;
    scan.scan(index);
    const charged = !this.#costs.isFree(index);
    this.#local = scan.localCount;
    if (charged || scan.loops.count > 1) this.#declareLocal(out);
    else this.#declareNothing(out);
    if (charged) this.#chargeEntry(out);
    let copied = scan.codeStart;
    for (let event = 0; event < scan.events.count; event += 1) {
      out.range(this.#bytes, copied, scan.events.start(event));
      copied = this.#replace(event, out);
    }
    out.range(this.#bytes, copied, scan.end);
  }

  #declareNothing(out: ByteWriter): void {
    out.u32(this.#scan.groupCount);
    out.range(this.#bytes, this.#scan.groupsStart, this.#scan.codeStart);
  }

  #declareLocal(out: ByteWriter): void {
    out.u32(this.#scan.groupCount + 1);
    out.range(this.#bytes, this.#scan.groupsStart, this.#scan.codeStart);
    out.u8(1);
    out.u8(OP.i32);
  }

  /** Writes what belongs at the place of an event and returns where copying goes on. */
  #replace(event: number, out: ByteWriter): number {
    const { events, loops } = this.#scan;
    const start = events.start(event);
    const a = events.a(event);
    switch (events.kind(event)) {
      case EVENT_LOOP:
        if (loops.repeats[a] === 0) return start;
        this.#openLoop(out, a, start, events.end(event));
        return events.end(event);
      case EVENT_LOOP_END:
        if (loops.repeats[a] === 1) out.u8(OP.end);
        return start;
      case EVENT_LABEL: {
        const from = loops.depth[events.b(event)] as number;
        const to = loops.depth[events.c(event)] as number;
        out.u32(a + from - to);
        return events.end(event);
      }
      case EVENT_BULK:
        return this.#bulk(out, a, start, events.end(event));
      default:
        return start;
    }
  }

  #chargeEntry(out: ByteWriter): void {
    this.#subtract(out, OP.globalGet, this.#added.fuelGlobal, this.#scan.loops.charge(0));
    out.u8(OP.if);
    out.u8(OP.emptyBlock);
    this.#refill(out, 0);
    out.u8(OP.end);
  }

  #openLoop(out: ByteWriter, loop: number, start: number, end: number): void {
    const { loops } = this.#scan;
    const charge = loops.charge(loop);
    const mirrored = loops.changesFuel[loop] === 0;
    const outer = loops.outer[loop] as number;
    if (mirrored && (outer === 0 || loops.changesFuel[outer] === 1)) this.#loadLocal(out);
    out.range(this.#bytes, start, end);
    out.u8(mirrored ? OP.localGet : OP.globalGet);
    out.u32(mirrored ? this.#local : this.#added.fuelGlobal);
    this.#isNegative(out);
    out.u8(OP.if);
    out.u8(OP.emptyBlock);
    this.#refill(out, charge);
    if (mirrored) this.#loadLocal(out);
    out.u8(OP.end);
    out.range(this.#bytes, start, end);
    if (mirrored) this.#subtract(out, OP.localGet, this.#local, charge);
    else this.#subtract(out, OP.globalGet, this.#added.fuelGlobal, charge);
    out.u8(OP.brIf);
    out.u8(1);
  }

  /** Leaves on the stack whether the counter fell below zero. */
  #subtract(out: ByteWriter, getter: number, index: number, charge: number): void {
    out.u8(getter);
    out.u32(index);
    out.u8(OP.i32Const);
    out.s32(charge);
    out.u8(OP.i32Sub);
    out.u8(OP.localTee);
    out.u32(this.#local);
    out.u8(OP.globalSet);
    out.u32(this.#added.fuelGlobal);
    out.u8(OP.localGet);
    out.u32(this.#local);
    this.#isNegative(out);
  }

  #isNegative(out: ByteWriter): void {
    out.u8(OP.i32Const);
    out.s32(0);
    out.u8(OP.i32LtS);
  }

  #loadLocal(out: ByteWriter): void {
    out.u8(OP.globalGet);
    out.u32(this.#added.fuelGlobal);
    out.u8(OP.localSet);
    out.u32(this.#local);
  }

  #refill(out: ByteWriter, extra: number): void {
    out.u8(OP.i32Const);
    out.s32(extra);
    out.u8(OP.call);
    out.u32(this.#added.refill);
  }

  #bulk(out: ByteWriter, operation: number, start: number, end: number): number {
    if (operation === MISC.memoryFill || operation === MISC.memoryCopy) {
      out.u8(OP.call);
      out.u32(operation === MISC.memoryFill ? this.#added.fill : this.#added.copy);
      return end;
    }
    out.u8(OP.i32Const);
    out.s32(operation === MISC.memoryInit ? BYTES_PER_UNIT_LOG2 : TABLE_UNITS_LOG2);
    out.u8(OP.i32Const);
    out.s32(operation === MEMORY_GROW_EVENT ? MEMORY_GROW_COST : 0);
    out.u8(OP.call);
    out.u32(this.#added.charge);
    return start;
  }
}
