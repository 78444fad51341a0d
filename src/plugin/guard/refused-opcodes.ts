/**
 * Text names of the opcodes that exist but cannot be guarded, so that a refusal can say which one
 * was met and to which proposal it belongs. Read only when a refusal is written.
 */

/** What a refused opcode is called. */
export interface RefusedOpcode {
  readonly name: string;
  readonly proposal: string;
}

const EXCEPTIONS = 'exception handling';
const REFERENCES = 'typed function references';
const GC = 'garbage collection';
const THREADS = 'threads';
const STACKS = 'stack switching';

const SINGLE: ReadonlyMap<number, RefusedOpcode> = new Map(
  [
    [0x06, 'try', EXCEPTIONS],
    [0x07, 'catch', EXCEPTIONS],
    [0x08, 'throw', EXCEPTIONS],
    [0x09, 'rethrow', EXCEPTIONS],
    [0x0a, 'throw_ref', EXCEPTIONS],
    [0x14, 'call_ref', REFERENCES],
    [0x15, 'return_call_ref', REFERENCES],
    [0x18, 'delegate', EXCEPTIONS],
    [0x19, 'catch_all', EXCEPTIONS],
    [0x1f, 'try_table', EXCEPTIONS],
    [0xd3, 'ref.eq', GC],
    [0xd4, 'ref.as_non_null', REFERENCES],
    [0xd5, 'br_on_null', REFERENCES],
    [0xd6, 'br_on_non_null', REFERENCES],
    [0xe0, 'cont.new', STACKS],
    [0xe1, 'cont.bind', STACKS],
    [0xe2, 'suspend', STACKS],
    [0xe3, 'resume', STACKS],
    [0xe4, 'resume_throw', STACKS],
    [0xe5, 'switch', STACKS],
  ].map(([opcode, name, proposal]) => [
    opcode as number,
    { name: name as string, proposal: proposal as string },
  ]),
);

const GC_NAMES: readonly string[] = [
  'struct.new struct.new_default struct.get struct.get_s struct.get_u struct.set',
  'array.new array.new_default array.new_fixed array.new_data array.new_elem',
  'array.get array.get_s array.get_u array.set array.len array.fill array.copy',
  'array.init_data array.init_elem ref.test ref.test_null ref.cast ref.cast_null',
  'br_on_cast br_on_cast_fail any.convert_extern extern.convert_any ref.i31 i31.get_s i31.get_u',
].flatMap((line) => line.split(' '));

/** From 0x10 on: seven shapes of load and store, then seven of each read-modify-write. */
const ATOMIC_SHAPES = ['i32', 'i64', 'i32_8', 'i32_16', 'i64_8', 'i64_16', 'i64_32'] as const;
const ATOMIC_ACTIONS = ['load', 'store', 'add', 'sub', 'and', 'or', 'xor', 'xchg', 'cmpxchg'];
const ATOMIC_FIRST: readonly string[] = [
  'memory.atomic.notify',
  'memory.atomic.wait32',
  'memory.atomic.wait64',
  'atomic.fence',
];

function atomicName(sub: number): string | undefined {
  if (sub < 0x10) return ATOMIC_FIRST[sub];
  const action = ATOMIC_ACTIONS[Math.floor((sub - 0x10) / 7)];
  const [type, width] = (ATOMIC_SHAPES[(sub - 0x10) % 7] ?? 'i32').split('_');
  if (action === undefined || type === undefined) return undefined;
  if (action === 'load') return `${type}.atomic.load${width === undefined ? '' : `${width}_u`}`;
  if (action === 'store') return `${type}.atomic.store${width ?? ''}`;
  return `${type}.atomic.rmw${width ?? ''}.${action}${width === undefined ? '' : '_u'}`;
}

/** The name of a refused opcode; one that no proposal known to us defines is named by its number. */
export function refusedOpcode(opcode: number, sub = 0): RefusedOpcode {
  const hex = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`;
  const unknown = { name: `opcode ${hex(opcode)}`, proposal: 'not a known opcode' };
  if (opcode === 0xfb) {
    return { name: GC_NAMES[sub] ?? `opcode 0xfb ${hex(sub)}`, proposal: GC };
  }
  if (opcode === 0xfe) {
    return { name: atomicName(sub) ?? `opcode 0xfe ${hex(sub)}`, proposal: THREADS };
  }
  if (opcode === 0xfc || opcode === 0xfd) {
    return { name: `opcode ${hex(opcode)} ${hex(sub)}`, proposal: 'not a known opcode' };
  }
  return SINGLE.get(opcode) ?? unknown;
}
