/**
 * The four functions that the guard appends to every module: they ask the host for more fuel,
 * charge operations by their operand, and fill or copy memory piece by piece. Nothing in the
 * module itself can call them, since it was validated before they had an index.
 */
import { ByteWriter } from './byte-writer.ts';
import type { ModuleFacts } from './module-facts.ts';
import { MISC, OP } from './opcodes.ts';

/** More fuel than this is taken as this much, so that adding a charge cannot wrap round. */
const MAX_REFILL = 2 ** 30;
/** One charge and one piece of a long fill or copy: about 0.1 ms of work. */
const PIECE_BYTES = 1 << 20;
/** Shorter fills and copies are part of the static cost. */
const UNCHARGED_BYTES = 1024;
/** Bytes that cost one unit, as a power of two. */
export const BYTES_PER_UNIT_LOG2 = 6;

/** Indices of everything the guard appends to a module. */
export interface Additions {
  readonly fuelGlobal: number;
  readonly checkTable: number;
  /** `() -> i32` */
  readonly checkType: number;
  /** `(i32) -> ()` */
  readonly refillType: number;
  /** `(i32, i32, i32) -> i32` */
  readonly chargeType: number;
  /** `(i32, i32, i32) -> ()` */
  readonly bulkType: number;
  /** `(extra)`: asks the host; the counter becomes its answer plus `extra`. */
  readonly refill: number;
  /** `(n, shift, base) -> n`: charges base + (n >> shift). */
  readonly charge: number;
  /** memory.fill and memory.copy by another name; only in a module with a memory. */
  readonly fill: number;
  readonly copy: number;
}

export function planAdditions(facts: ModuleFacts): Additions {
  const types = facts.types.starts.length;
  const functions = facts.functionTypes.length;
  return {
    fuelGlobal: facts.globalTypes.length,
    checkTable: facts.tables.length,
    checkType: types,
    refillType: types + 1,
    chargeType: types + 2,
    bulkType: types + 3,
    refill: functions,
    charge: functions + 1,
    fill: functions + 2,
    copy: functions + 3,
  };
}

/** The types of the additions, in the order of their indices. */
export function writeAddedTypes(writer: ByteWriter): number {
  const { i32 } = OP;
  writer.append([0x60, 0, 1, i32]);
  writer.append([0x60, 1, i32, 0]);
  writer.append([0x60, 3, i32, i32, i32, 1, i32]);
  writer.append([0x60, 3, i32, i32, i32, 0]);
  return 4;
}

/** Type indices of the added functions, in their order. */
export function addedFunctionTypes(facts: ModuleFacts, added: Additions): readonly number[] {
  const always = [added.refillType, added.chargeType];
  return facts.memory === undefined ? always : [...always, added.bulkType, added.bulkType];
}

export function writeAddedBodies(writer: ByteWriter, facts: ModuleFacts, added: Additions): void {
  writeBody(writer, refillBody(added));
  writeBody(writer, chargeBody(added));
  if (facts.memory === undefined) return;
  writeBody(writer, fillBody(added));
  writeBody(writer, copyBody(added));
}

/** Instructions as opcodes with their immediates, still to be encoded. */
type Code = readonly (readonly [opcode: number, ...immediates: number[]])[];

interface Body {
  readonly i32Locals: number;
  readonly code: Code;
}

function writeBody(writer: ByteWriter, { i32Locals, code }: Body): void {
  const body = new ByteWriter(128);
  body.append(i32Locals === 0 ? [0] : [1, i32Locals, OP.i32]);
  for (const [opcode, ...immediates] of code) {
    body.u8(opcode);
    for (const immediate of immediates) {
      if (opcode === OP.i32Const || opcode === OP.i64Const) body.s32(immediate);
      else body.u32(immediate);
    }
  }
  body.u8(OP.end);
  writer.sized(body);
}

const get = (index: number): readonly [number, number] => [OP.localGet, index];
const set = (index: number): readonly [number, number] => [OP.localSet, index];
const constant = (value: number): readonly [number, number] => [OP.i32Const, value];
const when: readonly [number, number] = [OP.if, OP.emptyBlock];
const END: readonly [number] = [OP.end];

function refillBody(added: Additions): Body {
  const [extra, answer] = [0, 1];
  return {
    i32Locals: 1,
    code: [
      constant(0),
      [OP.callIndirect, added.checkType, added.checkTable],
      [OP.localTee, answer],
      constant(1),
      [OP.i32LtS],
      when,
      [OP.unreachable],
      END,
      constant(MAX_REFILL),
      get(answer),
      get(answer),
      constant(MAX_REFILL),
      [OP.i32GtU],
      [OP.select],
      get(extra),
      [OP.i32Add],
      [OP.globalSet, added.fuelGlobal],
    ],
  };
}

/** Subtracts what is on the stack, at most 2^30, and asks for more when that was too much. */
function subtract(added: Additions): Code {
  return [
    [OP.i32Sub],
    [OP.globalSet, added.fuelGlobal],
    [OP.globalGet, added.fuelGlobal],
    constant(0),
    [OP.i32LtS],
    when,
    constant(0),
    [OP.call, added.refill],
    END,
  ];
}

function chargeBody(added: Additions): Body {
  const [length, shift, base, units] = [0, 1, 2, 3];
  return {
    i32Locals: 1,
    code: [
      [OP.globalGet, added.fuelGlobal],
      constant(MAX_REFILL),
      get(length),
      get(shift),
      [OP.i32ShrU],
      [OP.localTee, units],
      get(base),
      [OP.i32Add],
      get(units),
      constant(MAX_REFILL / 2),
      [OP.i32GtU],
      [OP.select],
      ...subtract(added),
      get(length),
    ],
  };
}

/** `if (start + length > memory size) stop being clever`: the operation itself then traps. */
function beyondMemory(start: number, length: number): Code {
  return [
    get(start),
    [OP.i64ExtendI32U],
    get(length),
    [OP.i64ExtendI32U],
    [OP.i64Add],
    [OP.memorySize, 0],
    [OP.i64ExtendI32U],
    [OP.i64Const, 16],
    [OP.i64Shl],
    [OP.i64GtU],
  ];
}

function whole(condition: Code, operation: Code): Code {
  return [...condition, when, ...operation, [OP.return], END];
}

/** Takes one piece: `piece = min(length, PIECE_BYTES)`, charged. */
function nextPiece(added: Additions, length: number, piece: number): Code {
  return [
    get(length),
    constant(PIECE_BYTES),
    get(length),
    constant(PIECE_BYTES),
    [OP.i32LeU],
    [OP.select],
    set(piece),
    [OP.globalGet, added.fuelGlobal],
    get(piece),
    constant(BYTES_PER_UNIT_LOG2),
    [OP.i32ShrU],
    ...subtract(added),
    get(length),
    get(piece),
    [OP.i32Sub],
    set(length),
  ];
}

function fillBody(added: Additions): Body {
  const [to, value, length, piece] = [0, 1, 2, 3];
  const fill = (count: number): Code => [
    get(to),
    get(value),
    get(count),
    [OP.misc, MISC.memoryFill, 0],
  ];
  return {
    i32Locals: 1,
    code: [
      ...whole([get(length), constant(UNCHARGED_BYTES), [OP.i32LeU]], fill(length)),
      ...whole(beyondMemory(to, length), fill(length)),
      [OP.loop, OP.emptyBlock],
      ...nextPiece(added, length, piece),
      ...fill(piece),
      get(to),
      get(piece),
      [OP.i32Add],
      set(to),
      get(length),
      [OP.brIf, 0],
      END,
    ],
  };
}

/** Copies upwards if the target lies below the source, else downwards, as overlap demands. */
function copyBody(added: Additions): Body {
  const [to, from, length, piece] = [0, 1, 2, 3];
  const copy: Code = [[OP.misc, MISC.memoryCopy, 0, 0]];
  const all: Code = [get(to), get(from), get(length), ...copy];
  const advance = (local: number): Code => [get(local), get(piece), [OP.i32Add], set(local)];
  const atEnd = (local: number): Code => [get(local), get(length), [OP.i32Add]];
  const more: Code = [get(length), [OP.brIf, 0], END];
  return {
    i32Locals: 1,
    code: [
      ...whole([get(length), constant(UNCHARGED_BYTES), [OP.i32LeU]], all),
      ...whole(beyondMemory(to, length), all),
      ...whole(beyondMemory(from, length), all),
      ...[get(to), get(from), [OP.i32LeU] as const, when],
      [OP.loop, OP.emptyBlock],
      ...nextPiece(added, length, piece),
      ...[get(to), get(from), get(piece), ...copy],
      ...advance(to),
      ...advance(from),
      ...more,
      [OP.return],
      END,
      [OP.loop, OP.emptyBlock],
      ...nextPiece(added, length, piece),
      ...[...atEnd(to), ...atEnd(from), get(piece), ...copy],
      ...more,
    ],
  };
}
