/**
 * Decides whether a snapshot of memory and mutable globals holds all the state of a module, so that
 * laying it back gives a fresh instance. Whatever else can change is a reason against it.
 */
import type { SnapshotSupport } from './guarded-module.ts';
import type { ModuleFacts } from './module-facts.ts';
import { valueTypeName } from './read-types.ts';
import type { StateChanges } from './state-changes.ts';

/** Each is read and written from JavaScript at every call. */
const MAX_GLOBALS = 1000;
const NUMERIC: ReadonlySet<string> = new Set(['i32', 'i64', 'f32', 'f64']);

/** Indices of the mutable globals that the module defines itself. */
export function mutableGlobals(facts: ModuleFacts): readonly number[] {
  const found: number[] = [];
  for (let index = facts.importedGlobals; index < facts.globalMutable.length; index += 1) {
    if (facts.globalMutable[index] === 1) found.push(index);
  }
  return found;
}

export function checkSnapshot(facts: ModuleFacts, changes: StateChanges): SnapshotSupport {
  const reasons = changes.names.map((name) => `uses ${name}`);
  const globals = mutableGlobals(facts);
  for (const index of globals) {
    const type = valueTypeName(facts.globalTypes[index] as number);
    if (!NUMERIC.has(type)) reasons.push(`has a mutable ${type} global`);
  }
  if (globals.length > MAX_GLOBALS) reasons.push(`has ${globals.length} mutable globals`);
  if (facts.importsMutableGlobal) reasons.push('imports a mutable global');
  if (facts.importedMemories > 0) reasons.push('imports its memory');
  return { restorable: reasons.length === 0, reasons: [...new Set(reasons)] };
}
