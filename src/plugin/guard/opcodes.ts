/**
 * What the code walk has to know of each opcode: which immediates follow it and what it costs.
 * An opcode that is not here is refused (refused-opcodes has the names). Source: the binary
 * format chapter of the WebAssembly core specification 2.0, tail calls and relaxed SIMD.
 */

/** Shapes of immediates. The first ones are passed over; from BLOCK on the walk takes notice. */
export const NONE = 0;
export const LEB = 1;
export const MEMARG = 2;
export const TWO_LEBS = 3;
export const FOUR_BYTES = 4;
export const EIGHT_BYTES = 5;
export const REF_TYPE = 6;
export const SELECT_TYPES = 7;
export const I32_CONST = 8;
export const BLOCK = 9;
export const LOOP = 10;
export const END = 11;
export const BRANCH = 12;
export const BRANCH_TABLE = 13;
export const CALL = 14;
export const CALL_INDIRECT = 15;
export const RETURN_CALL = 16;
export const RETURN_CALL_INDIRECT = 17;
export const MEMORY_GROW = 18;
export const TABLE_SET = 19;
export const PREFIX_MISC = 20;
export const PREFIX_SIMD = 21;
export const ELSE = 22;
/** What does not go on to the next instruction, without and with a label. */
export const STOP = 23;
export const JUMP = 24;
export const MEMORY_SIZE = 25;
export const REFUSED = 255;

/** Opcodes that the guard itself writes. */
export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  i32LtS: 0x48,
  i32GtU: 0x4b,
  i32LeU: 0x4d,
  i64GtU: 0x56,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Shl: 0x74,
  i32ShrU: 0x76,
  i64Add: 0x7c,
  i64Shl: 0x86,
  i64ExtendI32U: 0xad,
  misc: 0xfc,
  emptyBlock: 0x40,
  i32: 0x7f,
  funcref: 0x70,
} as const;

/** Sub-opcodes after 0xfc that have an effect the guard prices or a snapshot cannot undo. */
export const MISC = {
  memoryInit: 8,
  dataDrop: 9,
  memoryCopy: 10,
  memoryFill: 11,
  tableInit: 12,
  elemDrop: 13,
  tableCopy: 14,
  tableGrow: 15,
  tableSize: 16,
  tableFill: 17,
} as const;

type Range = readonly [from: number, to: number, shape: number];

const SINGLE: readonly Range[] = [
  [0x00, 0x00, STOP],
  [0x01, 0x01, NONE],
  [0x02, 0x02, BLOCK],
  [0x03, 0x03, LOOP],
  [0x04, 0x04, BLOCK],
  [0x05, 0x05, ELSE],
  [0x0b, 0x0b, END],
  [0x0c, 0x0c, JUMP],
  [0x0d, 0x0d, BRANCH],
  [0x0e, 0x0e, BRANCH_TABLE],
  [0x0f, 0x0f, STOP],
  [0x10, 0x10, CALL],
  [0x11, 0x11, CALL_INDIRECT],
  [0x12, 0x12, RETURN_CALL],
  [0x13, 0x13, RETURN_CALL_INDIRECT],
  [0x1a, 0x1b, NONE],
  [0x1c, 0x1c, SELECT_TYPES],
  [0x20, 0x25, LEB],
  [0x26, 0x26, TABLE_SET],
  [0x28, 0x3e, MEMARG],
  [0x3f, 0x3f, MEMORY_SIZE],
  [0x40, 0x40, MEMORY_GROW],
  [0x41, 0x41, I32_CONST],
  [0x42, 0x42, LEB],
  [0x43, 0x43, FOUR_BYTES],
  [0x44, 0x44, EIGHT_BYTES],
  [0x45, 0xc4, NONE],
  [0xd0, 0xd0, REF_TYPE],
  [0xd1, 0xd1, NONE],
  [0xd2, 0xd2, LEB],
  [0xfc, 0xfc, PREFIX_MISC],
  [0xfd, 0xfd, PREFIX_SIMD],
];

/** Number of LEB128 immediates of each 0xfc opcode. */
export const MISC_LEBS: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];

/** SIMD shapes of their own: a lane index, or a memory argument and a lane index. */
export const SIMD_BYTES_16 = 32;
export const SIMD_LANE = 33;
export const SIMD_MEMARG_LANE = 34;

const SIMD: readonly Range[] = [
  [0x00, 0x0b, MEMARG],
  [0x0c, 0x0d, SIMD_BYTES_16],
  [0x0e, 0x14, NONE],
  [0x15, 0x22, SIMD_LANE],
  [0x23, 0x53, NONE],
  [0x54, 0x5b, SIMD_MEMARG_LANE],
  [0x5c, 0x5d, MEMARG],
  [0x5e, 0x99, NONE],
  [0x9b, 0xa1, NONE],
  [0xa3, 0xa4, NONE],
  [0xa7, 0xae, NONE],
  [0xb1, 0xb1, NONE],
  [0xb5, 0xba, NONE],
  [0xbc, 0xc1, NONE],
  [0xc3, 0xc4, NONE],
  [0xc7, 0xce, NONE],
  [0xd1, 0xd1, NONE],
  [0xd5, 0xe1, NONE],
  [0xe3, 0xed, NONE],
  [0xef, 0xff, NONE],
  [0x100, 0x113, NONE],
];

/** Opcodes that take notably longer than others: divisions, table access, references. */
const SLOW: readonly Range[] = [
  [0x25, 0x25, 16],
  [0x26, 0x26, 48],
  [0x6d, 0x70, 4],
  [0x7f, 0x82, 4],
  [0xd2, 0xd2, 32],
];

function table(size: number, initial: number, ranges: readonly Range[]): Uint8Array {
  const shapes = new Uint8Array(size).fill(initial);
  for (const [from, to, shape] of ranges) shapes.fill(shape, from, to + 1);
  return shapes;
}

/** Shape of the immediates of each one-byte opcode. */
export const SHAPES: Uint8Array = table(256, REFUSED, SINGLE);
/** Shape of the immediates of each opcode after 0xfd. */
export const SIMD_SHAPES: Uint8Array = table(0x114, REFUSED, SIMD);
/** Cost in units of fuel of each one-byte opcode; about the time of an addition is 1. */
export const COSTS: Uint8Array = table(256, 1, SLOW);
