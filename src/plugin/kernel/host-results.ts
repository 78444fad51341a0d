/** What a plugin's imports say that its host functions return, and whether a value is that. */
import type { GuardedImport } from '../guard/guarded-module.ts';
import type { ValueTypeName } from '../guard/module-facts.ts';

/** {@link importKey} of a function -> the types of its results. */
export type ResultTypes = ReadonlyMap<string, readonly ValueTypeName[]>;

export function importKey(module: string, name: string): string {
  return JSON.stringify([module, name]);
}

/** @param imports of all modules; where two differ about a function, one of them with results counts. */
export function collectResultTypes(imports: readonly GuardedImport[]): ResultTypes {
  const found = new Map<string, readonly ValueTypeName[]>();
  for (const { module, name, type } of imports) {
    if (type !== null && type.results.length > 0) found.set(importKey(module, name), type.results);
  }
  return found;
}

/** Stricter than wasm's conversions from JavaScript, which take text for a number, and nothing for 0. */
export function fitsResults(value: unknown, types: readonly ValueTypeName[]): boolean {
  if (types.length === 0) return true;
  if (types.length === 1) return fits(value, types[0] as ValueTypeName);
  return (
    Array.isArray(value) &&
    value.length === types.length &&
    types.every((type, index) => fits(value[index], type))
  );
}

function fits(value: unknown, type: ValueTypeName): boolean {
  switch (type) {
    case 'i64':
      return typeof value === 'bigint' || typeof value === 'boolean';
    case 'i32':
    case 'f32':
    case 'f64':
      return typeof value === 'number' || typeof value === 'boolean';
    case 'funcref':
      return value === null || typeof value === 'function';
    case 'externref':
      return true;
    case 'v128':
      // JavaScript has none.
      return false;
  }
}
