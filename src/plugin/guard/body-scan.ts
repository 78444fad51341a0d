/**
 * Walks one function body: adds up its cost, loop by loop, and notes every place that the rewriting
 * has to change. One object serves all bodies of a module, so nothing is allocated for each
 * instruction or function. Used by free-functions and rewrite-code; it writes nothing.
 */
import type { CallCosts } from './call-costs.ts';
import { CodeCursor } from './code-cursor.ts';
import {
  CodeEvents,
  EVENT_BULK,
  EVENT_LABEL,
  EVENT_LOOP,
  EVENT_LOOP_END,
  MEMORY_GROW_EVENT,
} from './code-events.ts';
import type { FunctionNames } from './function-names.ts';
import { LoopTree } from './loop-tree.ts';
import type { ModuleFacts } from './module-facts.ts';
import * as op from './opcodes.ts';
import { checkValueType, isValueType } from './read-types.ts';
import { malformed, refusal, unsupported } from './refusal.ts';
import { refusedOpcode } from './refused-opcodes.ts';
import type { StateChanges } from './state-changes.ts';

/** V8's limit, parameters included. One is left for the guard's own. */
const MAX_LOCALS = 49_999;
/** A frame of many locals takes time to clear: this many cost one unit. */
const LOCALS_PER_UNIT = 8;
/** A constant length up to this is part of the static cost of a bulk operation. */
const MAX_STATIC_LENGTH = 1024;

export class BodyScan {
  readonly events: CodeEvents = new CodeEvents();
  readonly loops: LoopTree = new LoopTree();
  /** Where the first instruction lies, after the local declarations, and where the body ends. */
  codeStart = 0;
  end = 0;
  /** Where the groups of local declarations begin, and how many there are. */
  groupsStart = 0;
  groupCount = 0;
  /** Parameters and locals: the index of a local that is added. */
  localCount = 0;
  /** Whether the body calls a function that is not free. */
  callsOthers = false;

  readonly #facts: ModuleFacts;
  readonly #costs: CallCosts;
  readonly #changes: StateChanges;
  readonly #names: FunctionNames;
  readonly #bytes: Uint8Array;
  #index = 0;
  readonly #at: CodeCursor;
  /** The innermost loop of each open block. */
  #frames: Int32Array = new Int32Array(256);
  #depth = 0;
  #loop = 0;
  #cost = 0;
  /** An i32.const that was just passed: where it ended, and its value. */
  #constantEnd = -1;
  #constantValue = 0;

  constructor(facts: ModuleFacts, names: FunctionNames, costs: CallCosts, changes: StateChanges) {
    this.#facts = facts;
    this.#names = names;
    this.#costs = costs;
    this.#changes = changes;
    this.#bytes = facts.bytes;
    this.#at = new CodeCursor(facts.bytes);
  }

  /** Walks the body of the function of that index, imports counted first. */
  scan(index: number): void {
    const body = index - this.#facts.importedFunctions;
    this.#at.pos = this.#facts.bodyStarts[body] as number;
    this.end = this.#facts.bodyEnds[body] as number;
    this.#index = index;
    this.events.clear();
    this.loops.clear();
    this.callsOthers = false;
    this.#loop = 0;
    this.#constantEnd = -1;
    const type = this.#facts.functionTypes[index] as number;
    this.#cost = this.#costs.typeCost(type);
    this.#locals(this.#facts.types.params[type] as number);
    this.#depth = 1;
    this.#frames[0] = 0;
    this.#walk();
    this.#flushCost();
    this.loops.settle();
  }

  #locals(params: number): void {
    let total = params;
    this.groupCount = this.#at.u32();
    this.groupsStart = this.#at.pos;
    for (let group = 0; group < this.groupCount; group += 1) {
      if (this.#at.pos >= this.end) throw malformed('unexpected end of locals', this.#at.pos);
      total += this.#at.u32();
      if (total > MAX_LOCALS) throw refusal(`${this.#where()} has more than ${MAX_LOCALS} locals`);
      this.#valueType();
    }
    this.codeStart = this.#at.pos;
    this.localCount = total;
    this.#cost += Math.floor(total / LOCALS_PER_UNIT);
  }

  /** The loop over all instructions; the common shapes are handled here. */
  #walk(): void {
    const bytes = this.#bytes;
    const at = this.#at;
    while (this.#depth > 0) {
      if (at.pos >= this.end) throw malformed(`unexpected end of ${this.#where()}`, at.pos);
      const opcode = bytes[at.pos] as number;
      const shape = op.SHAPES[opcode] as number;
      at.pos += 1;
      this.#cost += op.COSTS[opcode] as number;
      if (shape === op.NONE) continue;
      if (shape === op.LEB) at.skipLeb();
      else if (shape === op.I32_CONST) this.#constant();
      else if (shape === op.MEMARG) at.skipMemoryArgument();
      else if (shape === op.END) this.#blockEnd();
      else if (shape === op.BLOCK) this.#block();
      else if (shape === op.BRANCH) this.#label();
      else if (shape === op.CALL) this.#call();
      else this.#other(opcode, shape);
    }
    if (at.pos !== this.end) throw malformed(`${this.#where()} goes on after its end`, at.pos);
  }

  #other(opcode: number, shape: number): void {
    if (shape === op.LOOP) this.#loopStart();
    else if (shape === op.PREFIX_MISC) this.#misc();
    else if (shape === op.PREFIX_SIMD) this.#simd();
    else if (shape === op.BRANCH_TABLE) this.#branchTable();
    else if (shape === op.CALL_INDIRECT) this.#callIndirect(true);
    else if (shape === op.RETURN_CALL_INDIRECT) this.#callIndirect(false);
    else if (shape === op.RETURN_CALL) this.#returnCall();
    else if (shape === op.FOUR_BYTES) this.#at.pos += 4;
    else if (shape === op.EIGHT_BYTES) this.#at.pos += 8;
    else if (shape === op.REF_TYPE) this.#valueType();
    else if (shape === op.SELECT_TYPES) this.#selectTypes();
    else if (shape === op.MEMORY_GROW) this.#memoryGrow();
    else if (shape === op.TABLE_SET) {
      this.#changes.note('table.set');
      this.#at.skipLeb();
    } else this.#refuse(opcode, opcode >= 0xfb ? this.#at.u32() : 0);
  }

  /** `sub` is the number after a prefix. */
  #refuse(opcode: number, sub: number): never {
    const { name, proposal } = refusedOpcode(opcode, sub);
    throw unsupported(name, proposal, this.#where());
  }

  #where(): string {
    return this.#names.describe(this.#index);
  }

  #flushCost(): void {
    this.loops.addCost(this.#loop, this.#cost);
    this.#cost = 0;
  }

  #loopStart(): void {
    const start = this.#at.pos - 1;
    this.#flushCost();
    this.#loop = this.loops.open(this.#loop);
    if (this.#block() > 0) this.loops.hasParameters[this.#loop] = 1;
    this.events.push(EVENT_LOOP, start, this.#at.pos, this.#loop);
  }

  /** Opens a block in the current loop and returns how many parameters it takes. */
  #block(): number {
    if (this.#depth === this.#frames.length) {
      const next = new Int32Array(this.#frames.length * 2);
      next.set(this.#frames);
      this.#frames = next;
    }
    this.#frames[this.#depth] = this.#loop;
    this.#depth += 1;
    const first = this.#at.peek();
    if (first >= op.OP.emptyBlock && first < 0x80) {
      if (first === op.OP.emptyBlock) this.#at.pos += 1;
      else this.#valueType();
      return 0;
    }
    const type = this.#at.u32();
    this.#cost += this.#costs.typeCost(type);
    return this.#facts.types.params[type] ?? 0;
  }

  #blockEnd(): void {
    this.#depth -= 1;
    if (this.#depth === 0) return;
    const outer = this.#frames[this.#depth - 1] as number;
    if (outer === this.#loop) return;
    this.#flushCost();
    this.events.push(EVENT_LOOP_END, this.#at.pos, this.#at.pos, this.#loop);
    this.#loop = outer;
  }

  #valueType(): void {
    const type = this.#at.peek();
    if (!isValueType(type)) checkValueType(type, this.#where(), this.#at.pos);
    this.#at.pos += 1;
  }

  #selectTypes(): void {
    const count = this.#at.u32();
    if (count > this.end - this.#at.pos) throw malformed('select', this.#at.pos);
    for (let index = 0; index < count; index += 1) this.#valueType();
  }

  #constant(): void {
    this.#constantValue = this.#at.i32AsUnsigned();
    this.#constantEnd = this.#at.pos;
  }

  #callIndirect(returns: boolean): void {
    this.#cost += this.#costs.indirect(this.#at.u32());
    this.#at.skipLeb();
    this.callsOthers = true;
    if (returns) this.#returns();
  }

  #returnCall(): void {
    const callee = this.#at.u32();
    this.#cost += this.#costs.direct(callee);
    if (!this.#costs.isFree(callee)) this.callsOthers = true;
  }

  #label(): void {
    const start = this.#at.pos;
    const label = this.#at.u32();
    const frame = this.#depth - 1 - label;
    if (frame < 0) throw malformed('unknown label', start);
    const target = this.#frames[frame] as number;
    // The frame that brings a loop in is the loop itself, and its label is the loop's head.
    if (frame > 0 && this.#frames[frame - 1] !== target) this.loops.repeats[target] = 1;
    if (target !== this.#loop) {
      this.events.push(EVENT_LABEL, start, this.#at.pos, label, this.#loop, target);
    }
  }

  #branchTable(): void {
    const count = this.#at.u32();
    if (count > this.end - this.#at.pos) throw malformed('branch table', this.#at.pos);
    for (let index = 0; index <= count; index += 1) this.#label();
  }

  #call(): void {
    const callee = this.#at.u32();
    if (!this.#costs.isFree(callee)) this.callsOthers = true;
    // A call that cannot come back to this loop is the usual end of a failed check.
    if (this.#at.peek() === op.OP.unreachable && !this.#costs.isFree(callee)) {
      this.#cost += 1;
      return;
    }
    this.#cost += this.#costs.direct(callee);
    if (!this.#costs.keepsFuel(callee)) this.#returns();
  }

  /** Something here may have changed the counter by the time it returns. */
  #returns(): void {
    if (this.#at.peek() !== op.OP.unreachable) this.loops.changesFuel[this.#loop] = 1;
  }

  #memoryGrow(): void {
    const start = this.#at.pos - 1;
    this.#at.skipLeb();
    this.events.push(EVENT_BULK, start, this.#at.pos, MEMORY_GROW_EVENT);
    this.loops.changesFuel[this.#loop] = 1;
  }

  #misc(): void {
    const start = this.#at.pos - 1;
    const sub = this.#at.u32();
    const lebs = op.MISC_LEBS[sub];
    if (lebs === undefined) this.#refuse(op.OP.misc, sub);
    const first = lebs > 0 ? this.#at.u32() : 0;
    if (lebs > 1) this.#at.skipLeb();
    if (sub < op.MISC.memoryInit || sub === op.MISC.tableSize) return;
    this.#cost += this.#changes.noteMisc(sub, first);
    if (sub === op.MISC.dataDrop || sub === op.MISC.elemDrop) return;
    if (this.#constantEnd === start && this.#constantValue <= MAX_STATIC_LENGTH) {
      this.#cost += sub < op.MISC.tableInit ? this.#constantValue >> 6 : this.#constantValue;
      return;
    }
    this.events.push(EVENT_BULK, start, this.#at.pos, sub);
    this.loops.changesFuel[this.#loop] = 1;
  }

  #simd(): void {
    const sub = this.#at.u32();
    const shape = op.SIMD_SHAPES[sub] ?? op.REFUSED;
    if (shape === op.REFUSED) this.#refuse(0xfd, sub);
    this.#at.skipSimdImmediates(shape);
  }
}
