/**
 * Reads the types of the binary format: value types, function types, limits, tables and memories.
 * Types of proposals that cannot be guarded are refused by name here. Used by read-module.
 */
import type { ByteReader } from './byte-reader.ts';
import type { FunctionTypes, Limits, TableType, ValueTypeName } from './module-facts.ts';
import { malformed, refusal, unsupported } from './refusal.ts';

/** V8's own limit for each; longer lists do not compile. */
const MAX_PARAMS = 1000;

const VALUE_TYPES: ReadonlyMap<number, ValueTypeName> = new Map([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [0x7b, 'v128'],
  [0x70, 'funcref'],
  [0x6f, 'externref'],
]);

const REFUSED_TYPES: ReadonlyMap<number, readonly [name: string, proposal: string]> = new Map([
  [0x40, ['a table with an initial value', 'typed function references']],
  [0x63, ['a typed reference', 'typed function references']],
  [0x64, ['a typed reference', 'typed function references']],
  [0x69, ['exnref', 'exception handling']],
  [0x6a, ['arrayref', 'garbage collection']],
  [0x6b, ['structref', 'garbage collection']],
  [0x6c, ['i31ref', 'garbage collection']],
  [0x6d, ['eqref', 'garbage collection']],
  [0x6e, ['anyref', 'garbage collection']],
  [0x71, ['nullref', 'garbage collection']],
  [0x72, ['nullexternref', 'garbage collection']],
  [0x73, ['nullfuncref', 'garbage collection']],
  [0x4e, ['a recursive type group', 'garbage collection']],
  [0x4f, ['a subtype', 'garbage collection']],
  [0x50, ['a subtype', 'garbage collection']],
  [0x5d, ['a continuation type', 'stack switching']],
  [0x5e, ['an array type', 'garbage collection']],
  [0x5f, ['a struct type', 'garbage collection']],
]);

/** The name of a value type's byte. */
export function valueTypeName(byte: number): ValueTypeName {
  const name = VALUE_TYPES.get(byte);
  if (name === undefined) throw refusal(`unknown value type 0x${byte.toString(16)}`);
  return name;
}

export function isValueType(byte: number): boolean {
  return VALUE_TYPES.has(byte);
}

/** Throws for a type byte that is not one of the seven value types. */
export function checkValueType(byte: number, where: string, pos: number): void {
  if (VALUE_TYPES.has(byte)) return;
  const refused = REFUSED_TYPES.get(byte);
  if (refused !== undefined) throw unsupported(refused[0], refused[1], where);
  throw malformed(`unknown type 0x${byte.toString(16)} in ${where}`, pos);
}

function skipValueTypes(reader: ByteReader): number {
  const count = reader.count('value types');
  if (count > MAX_PARAMS) throw refusal(`a function type has ${count} parameters or results`);
  for (let index = 0; index < count; index += 1) {
    checkValueType(reader.u8(), 'a function type', reader.pos);
  }
  return count;
}

export function readFunctionTypes(reader: ByteReader): FunctionTypes {
  const count = reader.count('types', 2);
  const types: FunctionTypes = {
    starts: new Int32Array(count),
    params: new Uint16Array(count),
    results: new Uint16Array(count),
  };
  for (let index = 0; index < count; index += 1) {
    const form = reader.u8();
    if (form !== 0x60) checkValueType(form, 'the type section', reader.pos);
    types.starts[index] = reader.pos;
    types.params[index] = skipValueTypes(reader);
    types.results[index] = skipValueTypes(reader);
  }
  return types;
}

export function readTableType(reader: ByteReader): TableType {
  const element = reader.u8();
  if (element !== 0x70) checkValueType(element, 'the table section', reader.pos);
  if (element !== 0x70 && element !== 0x6f) throw malformed('not a table type', reader.pos);
  return { element, ...readLimits(reader, 'a table') };
}

export function readMemoryType(reader: ByteReader): Limits {
  return readLimits(reader, 'a memory');
}

function readLimits(reader: ByteReader, where: string): Limits {
  const flags = reader.u8();
  if ((flags & 2) !== 0) throw unsupported('shared memory', 'threads', where);
  if ((flags & 4) !== 0) throw unsupported('64-bit addresses', 'memory64', where);
  if ((flags & 8) !== 0) throw unsupported('its own page size', 'custom page sizes', where);
  if (flags > 1) throw malformed(`limits with flags ${flags}`, reader.pos);
  const min = reader.u32();
  return { min, max: flags === 1 ? reader.u32() : undefined };
}
