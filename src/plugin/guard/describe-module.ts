/**
 * Tells the host what a module imports and exports, in the terms of the guard's contract.
 */
import { ByteReader } from './byte-reader.ts';
import type { FunctionType, GuardedImport, GuardedMemory } from './guarded-module.ts';
import type { Limits, ModuleFacts, ValueTypeName } from './module-facts.ts';
import { valueTypeName } from './read-types.ts';

/** Spells out one function type; types are otherwise kept as counts and positions only. */
export function functionType(facts: ModuleFacts, type: number): FunctionType {
  const start = facts.types.starts[type] as number;
  const reader = new ByteReader(facts.bytes, start, facts.bytes.length);
  const names = (): ValueTypeName[] => {
    const list: ValueTypeName[] = [];
    for (let left = reader.count('value types'); left > 0; left -= 1) {
      list.push(valueTypeName(reader.u8()));
    }
    return list;
  };
  const params = names();
  return { params, results: names() };
}

export function describeImports(facts: ModuleFacts): readonly GuardedImport[] {
  let functions = 0;
  return facts.imports.map(({ module, name, kind }) => {
    if (kind !== 'function') return { module, name, kind, type: null };
    const type = functionType(facts, facts.functionTypes[functions] as number);
    functions += 1;
    return { module, name, kind, type };
  });
}

/** `clamped` is the memory that the module defines itself, if it does. */
export function describeMemory(
  facts: ModuleFacts,
  clamped: Limits | undefined,
): GuardedMemory | null {
  const memory = clamped ?? facts.memory;
  if (memory === undefined) return null;
  return { imported: clamped === undefined, minPages: memory.min, maxPages: memory.max ?? null };
}
