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
  EVENT_CHECK,
  EVENT_LABEL,
  EVENT_LOOP,
  EVENT_LOOP_END,
  EVENT_MEMORY_SIZE,
  MEMORY_GROW_EVENT,
} from './code-events.ts';
import type { FunctionNames } from './function-names.ts';
import { LocalGroups } from './local-groups.ts';
import { LoopTree } from './loop-tree.ts';
import type { ModuleFacts } from './module-facts.ts';
import * as op from './opcodes.ts';
import { OpenBlocks } from './open-blocks.ts';
import { checkValueType, isValueType } from './read-types.ts';
import { malformed, unsupported } from './refusal.ts';
import { refusedOpcode } from './refused-opcodes.ts';
import type { StateChanges } from './state-changes.ts';

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
  readonly groups: LocalGroups = new LocalGroups();
  /** Whether the body calls a function that is not free. */
  callsOthers = false;

  readonly #facts: ModuleFacts;
  readonly #costs: CallCosts;
  readonly #changes: StateChanges;
  readonly #names: FunctionNames;
  readonly #bytes: Uint8Array;
  #index = 0;
  readonly #at: CodeCursor;
  readonly #blocks: OpenBlocks = new OpenBlocks();
  #loop = 0;
  /** From the body's beginning, and how much of it has gone to the loops. */
  #cost = 0;
  #flushed = 0;
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
    this.#flushed = 0;
    const params = this.#facts.types.params[type] as number;
    this.groups.read(this.#at, this.end, params, this.#where);
    this.codeStart = this.#at.pos;
    this.#cost += Math.floor(this.groups.locals / LOCALS_PER_UNIT);
    this.#blocks.begin();
    this.#walk();
    this.#flushCost();
    this.loops.settle();
  }

  /** The loop over all instructions; the common shapes are handled here. */
  #walk(): void {
    const bytes = this.#bytes;
    const at = this.#at;
    const blocks = this.#blocks;
    while (blocks.depth > 0) {
      if (at.pos >= this.end) throw malformed(`unexpected end of ${this.#where()}`, at.pos);
      if (this.#cost > blocks.dueAt) this.#check();
      const opcode = bytes[at.pos] as number;
      const shape = op.SHAPES[opcode] as number;
      at.pos += 1;
      this.#cost += op.COSTS[opcode] as number;
      if (shape === op.NONE) continue;
      if (shape === op.LEB) at.skipLeb();
      else if (shape === op.I32_CONST) this.#constant();
      else if (shape === op.MEMARG) at.skipMemoryArgument();
      else if (shape === op.END) this.#blockEnd();
      else if (shape === op.BLOCK) this.#block(opcode === op.OP.if);
      else if (shape === op.BRANCH) this.#label();
      else if (shape === op.CALL) this.#call();
      else this.#other(opcode, shape);
    }
    if (at.pos !== this.end) throw malformed(`${this.#where()} goes on after its end`, at.pos);
  }

  #other(opcode: number, shape: number): void {
    if (shape === op.LOOP) this.#loopStart();
    else if (shape === op.ELSE) this.#blocks.otherwise(this.#cost);
    else if (shape === op.STOP) this.#blocks.restart(this.#cost);
    else if (shape === op.JUMP) this.#jump();
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
    else if (shape === op.MEMORY_GROW) this.#memorySize(true);
    else if (shape === op.MEMORY_SIZE) this.#memorySize(false);
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

  readonly #where = (): string => this.#names.describe(this.#index);

  #flushCost(): void {
    this.loops.addCost(this.#loop, this.#cost - this.#flushed);
    this.#flushed = this.#cost;
  }

  #check(): void {
    const charge = this.#blocks.check(this.#cost);
    this.events.push(EVENT_CHECK, this.#at.pos, this.#at.pos, charge);
    this.loops.changesFuel[this.#loop] = 1;
  }

  #loopStart(): void {
    const start = this.#at.pos - 1;
    this.#flushCost();
    this.#loop = this.loops.open(this.#loop);
    if (this.#block(false) > 0) this.loops.hasParameters[this.#loop] = 1;
    this.events.push(EVENT_LOOP, start, this.#at.pos, this.#loop);
  }

  /** Opens a block in the current loop and returns how many parameters it takes. */
  #block(isIf: boolean): number {
    this.#blocks.open(this.#loop, this.#cost, isIf);
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
    this.#blocks.close(this.#cost);
    if (this.#blocks.depth === 0) return;
    const outer = this.#blocks.loopOf(this.#blocks.depth - 1);
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
    if (returns) this.#returns(true);
    else this.#blocks.restart(this.#cost);
  }

  #returnCall(): void {
    const callee = this.#at.u32();
    this.#cost += this.#costs.direct(callee);
    if (!this.#costs.isFree(callee)) this.callsOthers = true;
    this.#blocks.restart(this.#cost);
  }

  #jump(): void {
    this.#label();
    this.#blocks.restart(this.#cost);
  }

  #label(): void {
    const start = this.#at.pos;
    const label = this.#at.u32();
    const block = this.#blocks.depth - 1 - label;
    if (block < 0) throw malformed('unknown label', start);
    const target = this.#blocks.loopOf(block);
    // The block that brings a loop in is the loop itself, and its label is the loop's head.
    if (block > 0 && this.#blocks.loopOf(block - 1) !== target) this.loops.repeats[target] = 1;
    else this.#blocks.branch(block, this.#cost);
    if (target !== this.#loop) {
      this.events.push(EVENT_LABEL, start, this.#at.pos, label, this.#loop, target);
    }
  }

  #branchTable(): void {
    const count = this.#at.u32();
    if (count > this.end - this.#at.pos) throw malformed('branch table', this.#at.pos);
    for (let index = 0; index <= count; index += 1) this.#label();
    this.#blocks.restart(this.#cost);
  }

  #call(): void {
    const callee = this.#at.u32();
    const isOther = !this.#costs.isFree(callee);
    this.callsOthers ||= isOther;
    // A call that cannot come back to this loop is the usual end of a failed check.
    const isLast = isOther && this.#at.peek() === op.OP.unreachable;
    this.#cost += isLast ? 1 : this.#costs.direct(callee);
    if (!isLast && !this.#costs.keepsFuel(callee)) this.#returns(isOther);
  }

  /** Something here may have changed the counter by the time it returns. */
  #returns(isOther: boolean): void {
    if (this.#at.peek() === op.OP.unreachable) return;
    this.loops.changesFuel[this.#loop] = 1;
    if (isOther) this.#blocks.called(this.#cost);
  }

  #memorySize(grows: boolean): void {
    const start = this.#at.pos - 1;
    this.#at.skipLeb();
    if (grows) this.events.push(EVENT_BULK, start, this.#at.pos, MEMORY_GROW_EVENT);
    else this.events.push(EVENT_MEMORY_SIZE, start, this.#at.pos, 0);
    if (grows) this.loops.changesFuel[this.#loop] = 1;
    this.#changes.growsMemory ||= grows;
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
