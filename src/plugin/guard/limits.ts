/**
 * Clamps what a module declares to what it is allowed: the pages of its memory and the elements
 * of its tables. V8 then enforces the maximum on every grow. Imported ones are their exporter's.
 */
import type { Limits, ModuleFacts, TableType } from './module-facts.ts';
import { refusal } from './refusal.ts';
import type { StateChanges } from './state-changes.ts';

/** The maximum that memory32 can have. */
const MAX_PAGES = 65_536;

/** The memory this module defines, clamped; `undefined` if it has none of its own. */
export function clampMemory(facts: ModuleFacts, maxPages: number): Limits | undefined {
  if (facts.memory === undefined || facts.importedMemories > 0) return undefined;
  const limit = Math.min(maxPages, MAX_PAGES);
  const { min, max } = facts.memory;
  if (min > limit) {
    throw refusal(`its memory starts with ${min} pages, the limit is ${limit}`, {
      value: min,
      limit,
    });
  }
  return { min, max: Math.min(max ?? limit, limit) };
}

/** The tables this module defines. Those that can grow share the limit among them. */
export function clampTables(
  facts: ModuleFacts,
  changes: StateChanges,
  maxElements: number,
): readonly TableType[] {
  const defined = facts.tables.slice(facts.importedTables);
  const total = defined.reduce((sum, { min }) => sum + min, 0);
  if (total > maxElements) {
    throw refusal(`its tables start with ${total} elements, the limit is ${maxElements}`, {
      value: total,
      limit: maxElements,
    });
  }
  const exported = facts.exports.filter(({ kind }) => kind === 'table').map(({ index }) => index);
  const growable = new Set([...changes.grownTables, ...exported]);
  const share = Math.floor(maxElements / Math.max(growable.size, 1));
  return defined.map(({ element, min, max }, index) => {
    const room = growable.has(facts.importedTables + index) ? share : min;
    return { element, min, max: Math.max(min, Math.min(max ?? room, room)) };
  });
}
