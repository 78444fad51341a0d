/**
 * Reads what a module that cannot be guarded declares: types of any proposal, imports, tables,
 * memories and exports. What it does not know how to name it passes over, so that the rest can be
 * clamped and linked; what could not be bounded is refused. V8 has validated the bytes by then.
 */
import type { ByteReader } from './byte-reader.ts';
import type { FunctionType, GuardedImport } from './guarded-module.ts';
import { KIND_NAMES, type ValueTypeName } from './module-facts.ts';
import { isValueType, valueTypeName } from './read-types.ts';
import { malformed, refusal } from './refusal.ts';

const FORM = { recursive: 0x4e, final: 0x4f, sub: 0x50, array: 0x5e, struct: 0x5f, function: 0x60 };
/** `(ref ht)` and `(ref null ht)`, whose heap type follows. */
const TYPED_REFERENCES: ReadonlySet<number> = new Set([0x63, 0x64]);
const LIMIT_FLAGS = { max: 1, shared: 2, wide: 4, pageSize: 8 };
const TAG = 4;
/** In place of a table's type: an initial value follows its limits. */
const INITIAL_VALUE = 0x40;

export interface LooseLimits {
  readonly flags: number;
  readonly min: number;
  readonly max: number | undefined;
}

export interface LooseMemory extends LooseLimits {
  /** Like every memory before threads and memory64: others can link it, and so can we. */
  readonly isPlain: boolean;
}

export interface LooseTable extends LooseLimits {
  /** Bytes of its element type. */
  readonly element: Uint8Array;
}

export interface LooseExport {
  readonly name: string;
  /** As the binary format numbers it, tags included. */
  readonly kind: number;
  readonly index: number;
}

/** The type of each index; null for one that is no function's, or not of plain values alone. */
export function readLooseTypes(reader: ByteReader | undefined): (FunctionType | null)[] {
  const types: (FunctionType | null)[] = [];
  for (let left = reader?.count('types') ?? 0; reader !== undefined && left > 0; left--) {
    if (reader.bytes[reader.pos] !== FORM.recursive) {
      types.push(subType(reader));
      continue;
    }
    reader.skip(1);
    for (let members = reader.count('types'); members > 0; members--) types.push(subType(reader));
  }
  return types;
}

function subType(reader: ByteReader): FunctionType | null {
  let form = reader.u8();
  if (form === FORM.sub || form === FORM.final) {
    for (let parents = reader.count('supertypes'); parents > 0; parents--) reader.u32();
    form = reader.u8();
  }
  if (form === FORM.function) {
    const params = valueTypes(reader);
    const results = valueTypes(reader);
    return params === null || results === null ? null : { params, results };
  }
  if (form !== FORM.array && form !== FORM.struct) {
    throw malformed(`unknown type 0x${form.toString(16)}`, reader.pos);
  }
  // One that is larger than what the thread's heap has left ends the process, not the thread.
  if (form === FORM.array) {
    const details = { feature: 'an array type', proposal: 'garbage collection' };
    throw refusal('it uses an array type (garbage collection), which nothing can bound', details);
  }
  for (let fields = reader.count('fields'); fields > 0; fields--) {
    valueType(reader);
    reader.skip(1);
  }
  return null;
}

function valueTypes(reader: ByteReader): ValueTypeName[] | null {
  const types: ValueTypeName[] = [];
  const count = reader.count('value types');
  for (let left = count; left > 0; left--) {
    const type = valueType(reader);
    if (type !== null) types.push(type);
  }
  return types.length === count ? types : null;
}

function valueType(reader: ByteReader): ValueTypeName | null {
  const byte = reader.u8();
  if (isValueType(byte)) return valueTypeName(byte);
  if (TYPED_REFERENCES.has(byte)) reader.skipLeb();
  return null;
}

export interface LooseImports {
  readonly entries: readonly GuardedImport[];
  readonly functionTypes: readonly number[];
  readonly memories: readonly LooseMemory[];
}

export function readLooseImports(
  reader: ByteReader | undefined,
  types: readonly (FunctionType | null)[],
): LooseImports {
  const entries: GuardedImport[] = [];
  const functionTypes: number[] = [];
  const memories: LooseMemory[] = [];
  for (let left = reader?.count('imports', 4) ?? 0; reader !== undefined && left > 0; left--) {
    const module = reader.name();
    const name = reader.name();
    const code = reader.u8();
    if (code === TAG) throw refusal(`it imports the tag ${JSON.stringify(name)}: there is none`);
    const kind = KIND_NAMES[code];
    if (kind === undefined) throw malformed(`unknown kind ${code} of import`, reader.pos);
    let type: FunctionType | null = null;
    if (kind === 'function') {
      const index = reader.u32();
      functionTypes.push(index);
      type = types[index] ?? null;
    } else if (kind === 'memory') memories.push(readLimits(reader));
    else {
      valueType(reader);
      if (kind === 'table') readLimits(reader);
      else reader.skip(1);
    }
    entries.push({ module, name, kind, type });
  }
  return { entries, functionTypes, memories };
}

export function readLooseMemories(reader: ByteReader | undefined): LooseMemory[] {
  const memories: LooseMemory[] = [];
  for (let left = reader?.count('memories', 2) ?? 0; reader !== undefined && left > 0; left--) {
    memories.push(readLimits(reader));
  }
  return memories;
}

export function readLooseTables(reader: ByteReader | undefined): LooseTable[] {
  const tables: LooseTable[] = [];
  for (let left = reader?.count('tables', 3) ?? 0; reader !== undefined && left > 0; left--) {
    const start = reader.pos;
    if (reader.bytes[start] === INITIAL_VALUE) {
      throw refusal('it has a table with an initial value, which is not clamped');
    }
    valueType(reader);
    tables.push({ element: reader.bytes.subarray(start, reader.pos), ...readLimits(reader) });
  }
  return tables;
}

export function readLooseExports(reader: ByteReader | undefined): LooseExport[] {
  const entries: LooseExport[] = [];
  for (let left = reader?.count('exports', 3) ?? 0; reader !== undefined && left > 0; left--) {
    entries.push({ name: reader.name(), kind: reader.u8(), index: reader.u32() });
  }
  return entries;
}

function readLimits(reader: ByteReader): LooseMemory {
  const flags = reader.u8();
  if ((flags & LIMIT_FLAGS.pageSize) !== 0) {
    throw refusal('its memory has a page size of its own, which is not clamped');
  }
  const min = unsigned(reader);
  const max = (flags & LIMIT_FLAGS.max) === 0 ? undefined : unsigned(reader);
  return { flags, min, max, isPlain: (flags & ~LIMIT_FLAGS.max) === 0 };
}

/** Up to 64 bits; inexact beyond 53, where it is over every limit. */
function unsigned(reader: ByteReader): number {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = reader.u8();
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw malformed('a number over 64 bits', reader.pos);
}
