/**
 * The export list of the rewritten module: the guest's own, those that a host would run by itself
 * renamed so that ours decides when, and what the guard exports for the host. Guests that use the
 * reserved names are refused here.
 */

import type { Additions } from './additions.ts';
import { functionType } from './describe-module.ts';
import {
  GUARD_EXPORTS,
  type GuardedFunction,
  type GuardedGlobal,
  RESERVED_PREFIX,
} from './guarded-module.ts';
import type { ExportEntry, ModuleFacts } from './module-facts.ts';
import { valueTypeName } from './read-types.ts';
import { refusal } from './refusal.ts';

/** Functions that WASI and language runtimes expect to run once, before the first call. */
const RUN_FIRST: ReadonlySet<string> = new Set([
  '_start',
  '_initialize',
  '__wasm_call_ctors',
  'hs_init',
]);

/** Refuses a guest whose imports or exports are in the engine's namespace. */
export function checkReservedNames(facts: {
  readonly imports: readonly { readonly module: string; readonly name: string }[];
  readonly exports: readonly { readonly name: string }[];
}): void {
  for (const { module, name } of facts.imports) {
    if (module.startsWith(RESERVED_PREFIX) || name.startsWith(RESERVED_PREFIX)) {
      throw refusal(
        `it imports ${JSON.stringify(name)} from ${JSON.stringify(module)}, a reserved name`,
      );
    }
  }
  for (const { name } of facts.exports) {
    if (name.startsWith(RESERVED_PREFIX)) {
      throw refusal(`it exports ${JSON.stringify(name)}, a reserved name`);
    }
  }
}

/** What the rewritten module calls an export. */
export function exportName({ name, kind }: Pick<ExportEntry, 'name' | 'kind'>): string {
  return kind === 'function' && RUN_FIRST.has(name) ? RESERVED_PREFIX + name : name;
}

export function exportedFunctions(facts: ModuleFacts): readonly GuardedFunction[] {
  return facts.exports
    .filter(({ kind }) => kind === 'function')
    .map((entry) => ({
      name: entry.name,
      exportName: exportName(entry),
      ...functionType(facts, facts.functionTypes[entry.index] as number),
    }));
}

/** All exports of the rewritten module. `globals` are exported under their indices. */
export function guardedExports(
  facts: ModuleFacts,
  added: Additions,
  globals: readonly number[],
): readonly ExportEntry[] {
  const entries: ExportEntry[] = facts.exports.map((entry) => ({
    ...entry,
    name: exportName(entry),
  }));
  entries.push({ name: GUARD_EXPORTS.fuel, kind: 'global', index: added.fuelGlobal });
  entries.push({ name: GUARD_EXPORTS.check, kind: 'table', index: added.checkTable });
  if (facts.startFunction >= 0) {
    entries.push({ name: GUARD_EXPORTS.start, kind: 'function', index: facts.startFunction });
  }
  if (facts.memory) entries.push({ name: GUARD_EXPORTS.memory, kind: 'memory', index: 0 });
  if (facts.memory && facts.importedMemories === 0) {
    entries.push({ name: GUARD_EXPORTS.pages, kind: 'function', index: added.pages });
  }
  if (added.sizeGlobal !== null) {
    entries.push({ name: GUARD_EXPORTS.size, kind: 'global', index: added.sizeGlobal });
  }
  for (const index of globals) entries.push({ name: globalName(index), kind: 'global', index });
  return entries;
}

/** What a snapshot has to hold beside the memory. */
export function guardedGlobals(
  facts: ModuleFacts,
  added: Additions,
  globals: readonly number[],
): readonly GuardedGlobal[] {
  const own = globals.map((index) => ({
    name: globalName(index),
    type: valueTypeName(facts.globalTypes[index] as number),
  }));
  return added.sizeGlobal === null ? own : [...own, { name: GUARD_EXPORTS.size, type: 'i32' }];
}

/** The export name of a mutable global. */
function globalName(index: number): string {
  return `${RESERVED_PREFIX}g${index}`;
}
