/**
 * Bodies of the functions that the guard appends to every module: they ask the host for more fuel,
 * charge operations by their operand, and, where there is a memory, fill or copy it piece by piece,
 * grow it if the host lets them, and tell its size. Nothing in the module itself can call them, since
 * it was validated before they had an index.
 */
import { type Additions, GROW_SLOT, REFUEL_SLOT } from './additions.ts';
import { ByteWriter } from './byte-writer.ts';
import type { ModuleFacts } from './module-facts.ts';
import { MISC, OP } from './opcodes.ts';

/** More fuel than this is taken as this much, so that adding a charge cannot wrap round. */
const MAX_REFILL = 2 ** 30;
/** One charge and one piece of a long fill or copy: about 0.1 ms of work. */
const PIECE_BYTES = 1 << 20;
/** Shorter fills and copies are part of the static cost. */
const UNCHARGED_BYTES = 1024;
/** memory.grow is a call into V8 that makes a new buffer object. */
const MEMORY_GROW_COST = 500;
const PAGE_BYTES_LOG2 = 16;
/** Bytes that cost one unit, as a power of two. */
export const BYTES_PER_UNIT_LOG2 = 6;

export function writeAddedBodies(writer: ByteWriter, facts: ModuleFacts, added: Additions): void {
  writeBody(writer, refillBody(added));
  writeBody(writer, chargeBody(added));
  if (facts.memory === undefined) return;
  writeBody(writer, fillBody(added));
  writeBody(writer, copyBody(added));
  const size = added.sizeGlobal;
  writeBody(writer, size === null ? growBody(added) : ownGrowBody(added, size));
  writeBody(writer, { i32Locals: 0, code: [[OP.memorySize, 0]] });
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
      constant(REFUEL_SLOT),
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
    [OP.i64Const, PAGE_BYTES_LOG2],
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

/** Answers as memory.grow does: the pages before, or -1. */
function growBody(added: Additions): Body {
  const wanted = 0;
  return {
    i32Locals: 0,
    code: [
      ...[get(wanted), constant(0), constant(MEMORY_GROW_COST)],
      [OP.call, added.charge],
      ...mayGrow(added),
      when,
      ...[get(wanted), [OP.memoryGrow, 0] as const, [OP.return] as const],
      END,
      constant(-1),
    ],
  };
}

/** Asks the host whether it may grow by the pages on the stack. */
function mayGrow(added: Additions): Code {
  return [constant(GROW_SLOT), [OP.callIndirect, added.growType, added.checkTable]];
}

/**
 * The same for a memory with a size of its own. It takes what the memory has beyond that, where the
 * guest may have written in this call, and grows it by the rest. No sum here can wrap round.
 */
function ownGrowBody(added: Additions, size: number): Body {
  const [wanted, before, spare, page] = [0, 1, 2, 3];
  const refuse: Code = [constant(-1), [OP.return]];
  const step = (local: number, opcode: number): Code => [
    ...[get(local), constant(1), [opcode] as const, set(local)],
  ];
  return {
    i32Locals: 3,
    code: [
      ...[get(wanted), constant(0), constant(MEMORY_GROW_COST)],
      ...[[OP.call, added.charge] as const, set(wanted)],
      ...[[OP.globalGet, size] as const, [OP.localTee, before] as const, set(page)],
      ...[[OP.memorySize, 0] as const, get(before), [OP.i32Sub] as const, set(spare)],
      ...[get(wanted), get(spare), [OP.i32GtU] as const, when],
      ...[get(wanted), get(spare), [OP.i32Sub] as const, ...mayGrow(added), when],
      ...[get(wanted), get(spare), [OP.i32Sub] as const, [OP.memoryGrow, 0] as const],
      ...[constant(0), [OP.i32LtS] as const, when, ...refuse, END],
      ...[[OP.else] as const, ...refuse, END],
      ...[[OP.else] as const, get(wanted), set(spare), END],
      // Page by page: all 65,536 of them are more bytes than an i32 can count.
      [OP.loop, OP.emptyBlock],
      ...[get(spare), when],
      ...[get(page), constant(PAGE_BYTES_LOG2), [OP.i32Shl] as const],
      ...[constant(0), constant(1 << PAGE_BYTES_LOG2), [OP.call, added.fill] as const],
      ...step(page, OP.i32Add),
      ...step(spare, OP.i32Sub),
      ...[[OP.br, 1] as const, END, END],
      ...[get(before), get(wanted), [OP.i32Add] as const, [OP.globalSet, size] as const],
      get(before),
    ],
  };
}
