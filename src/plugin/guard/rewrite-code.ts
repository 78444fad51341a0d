/**
 * Writes the code section anew: each body is its original bytes with the charges put in between.
 *
 * A charge subtracts from the counter and, when it falls below zero, calls `refill`, which traps at
 * the deadline. A function is charged at its entry, and a long one again on its way. A loop is charged
 * at its head, and leaves for the call, which stands outside of it:
 *
 *     block $done
 *       loop $again
 *         block $empty
 *           loop $original              the original body; labels to its outside are counted anew
 *             fuel -= cost; br_if $empty (fuel < 0)
 *             ...
 *           end
 *           br $done
 *         end
 *         refill(cost); br $again
 *
 * because a call within a tight loop, even one never made, has V8 keep the loop's values in memory:
 * an empty loop took 2.0 times as long, with the call outside 1.15 times. A loop with parameters
 * has them on the stack at its head, so it can only be left for another loop of the same type:
 *
 *     loop $again                       if (fuel < 0) refill(cost)
 *       loop $original                  fuel -= cost; br_if $again (fuel < 0)
 */

import type { Additions } from './additions.ts';
import type { BodyScan } from './body-scan.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { CallCosts } from './call-costs.ts';
import { ChargeWriter } from './charge-writer.ts';
import {
  EVENT_BULK,
  EVENT_CHECK,
  EVENT_LABEL,
  EVENT_LOOP,
  EVENT_LOOP_END,
  EVENT_MEMORY_SIZE,
  MEMORY_GROW_EVENT,
} from './code-events.ts';
import { MISC, OP } from './opcodes.ts';
import { BYTES_PER_UNIT_LOG2 } from './runtime-functions.ts';

export class CodeRewriter {
  readonly #bytes: Uint8Array;
  readonly #scan: BodyScan;
  readonly #costs: CallCosts;
  readonly #added: Additions;
  readonly #charge: ChargeWriter;

  constructor(bytes: Uint8Array, scan: BodyScan, costs: CallCosts, added: Additions) {
    this.#bytes = bytes;
    this.#scan = scan;
    this.#costs = costs;
    this.#added = added;
    this.#charge = new ChargeWriter(added);
  }

  /** Walks one body and writes it, without its length, to `out`. */
  rewrite(index: number, out: ByteWriter): void {
    const scan = this.#scan;
    scan.scan(index);
    this.#charge.local = scan.groups.locals;
    const charged = !this.#costs.isFree(index);
    const needsLocal = charged || scan.loops.count > 1;
    out.u32(scan.groups.count + (needsLocal ? 1 : 0));
    out.range(this.#bytes, scan.groups.start, scan.codeStart);
    if (needsLocal) out.append([1, OP.i32]);
    if (charged) this.#charge.entry(out, scan.loops.charge(0));
    let copied = scan.codeStart;
    for (let event = 0; event < scan.events.count; event += 1) {
      out.range(this.#bytes, copied, scan.events.start(event));
      copied = this.#replace(event, out);
    }
    out.range(this.#bytes, copied, scan.end);
  }

  /** Writes what belongs at the place of an event and returns where copying goes on. */
  #replace(event: number, out: ByteWriter): number {
    const { events, loops } = this.#scan;
    const start = events.start(event);
    const end = events.end(event);
    const a = events.a(event);
    switch (events.kind(event)) {
      case EVENT_LOOP:
        if (loops.repeats[a] === 0) return start;
        this.#openLoop(out, a, start, end);
        return end;
      case EVENT_LOOP_END:
        if (loops.repeats[a] === 1) this.#closeLoop(out, a);
        return start;
      case EVENT_LABEL: {
        const inside = loops.addedLabels[events.b(event)] as number;
        out.u32(a + inside - (loops.addedLabels[events.c(event)] as number));
        return end;
      }
      case EVENT_BULK:
        return this.#bulk(out, a, start, end);
      case EVENT_CHECK:
        this.#charge.check(out, a);
        return end;
      case EVENT_MEMORY_SIZE:
        if (this.#added.sizeGlobal === null) return start;
        out.u8(OP.globalGet);
        out.u32(this.#added.sizeGlobal);
        return end;
      default:
        return start;
    }
  }

  #openLoop(out: ByteWriter, loop: number, start: number, end: number): void {
    const { loops } = this.#scan;
    const mirrored = loops.changesFuel[loop] === 0;
    if (loops.hasParameters[loop] === 1) {
      out.range(this.#bytes, start, end);
      this.#charge.refillIfNegative(out, loops.charge(loop));
    } else {
      out.u8(OP.block);
      out.range(this.#bytes, start + 1, end);
      out.range(this.#bytes, start, end);
    }
    if (mirrored) this.#charge.loadLocal(out);
    if (loops.hasParameters[loop] === 0) out.append([OP.block, OP.emptyBlock]);
    out.range(this.#bytes, start, end);
    this.#charge.subtract(out, mirrored, loops.charge(loop));
    out.append([OP.brIf, 1]);
  }

  #closeLoop(out: ByteWriter, loop: number): void {
    const { loops } = this.#scan;
    if (loops.hasParameters[loop] === 0) {
      out.append([OP.br, 2, OP.end]);
      this.#charge.refill(out, loops.charge(loop));
      out.append([OP.br, 0, OP.end]);
    }
    out.u8(OP.end);
  }

  #bulk(out: ByteWriter, operation: number, start: number, end: number): number {
    if (operation === MISC.memoryFill || operation === MISC.memoryCopy) {
      out.u8(OP.call);
      out.u32(operation === MISC.memoryFill ? this.#added.fill : this.#added.copy);
      return end;
    }
    if (operation === MEMORY_GROW_EVENT) {
      out.u8(OP.call);
      out.u32(this.#added.grow);
      return end;
    }
    // An element of a table can take a call into V8, so each is a unit.
    out.u8(OP.i32Const);
    out.s32(operation === MISC.memoryInit ? BYTES_PER_UNIT_LOG2 : 0);
    out.append([OP.i32Const, 0]);
    out.u8(OP.call);
    out.u32(this.#added.charge);
    return start;
  }
}
