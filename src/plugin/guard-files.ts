/**
 * Guards the modules of a plugin, or clamps what cannot be guarded, and sees to it that their memories
 * and the kernel's heap together stay within `memory.maxPages`.
 *
 * Guarded memories ask before they grow (memory-room.ts). One that does not can grow at any time, and
 * anybody's that it was exported to; so where one module is unguarded each memory gets a part of its
 * own, and the kernel what these leave.
 */
import type { PluginConfig } from '../config/types.ts';
import { ServerError } from '../errors.ts';
import { clampModule } from './guard/clamp-module.ts';
import { guardModule } from './guard/guard.ts';
import type { GuardedModule, GuardOptions, SnapshotUse } from './guard/guarded-module.ts';
import { LEAST_HEAP_PAGES } from './kernel/kernel.ts';
import type { GuardedFile } from './link-plan.ts';
import type { PluginDefinition } from './manifest/plugin-definition.ts';

/** Elements of all tables of one module together; of all modules where one is unguarded. */
const MAX_TABLE_ELEMENTS = 1_000_000;
/** Of what the memories could grow by, the part that is theirs; the rest is for inputs and outputs. */
const GROWTH_SHARE = 1 / 2;

export interface GuardedFiles {
  readonly files: readonly GuardedFile[];
  /** Pages that the guests' memories can reach without a question; 0 where each asks. */
  readonly reservedPages: number;
}

/** @throws ServerError `PLUGIN_COMPILE_FAILED`. */
export function guardFiles(plugin: PluginConfig, definition: PluginDefinition): GuardedFiles {
  const { maxPages } = definition.memory;
  const files = guardAll(plugin, definition, {
    pages: () => maxPages,
    elements: MAX_TABLE_ELEMENTS,
  });
  const minPages = files.reduce((sum, { guarded }) => sum + guarded.ownPages.min, 0);
  const spare = maxPages - minPages - LEAST_HEAP_PAGES;
  if (spare < 0) throw noRoom(plugin, maxPages - spare, maxPages);
  if (files.every(({ guarded }) => guarded.unguarded === null)) return { files, reservedPages: 0 };
  const growth = Math.floor((spare * GROWTH_SHARE) / files.length);
  const parts = guardAll(plugin, definition, {
    pages: (index) => (files[index] as GuardedFile).guarded.ownPages.min + growth,
    elements: Math.floor(MAX_TABLE_ELEMENTS / files.length),
  });
  const reservedPages = parts.reduce((sum, { guarded }) => sum + guarded.ownPages.max, 0);
  return { files: parts, reservedPages };
}

function guardAll(
  plugin: PluginConfig,
  definition: PluginDefinition,
  limits: { readonly pages: (index: number) => number; readonly elements: number },
): GuardedFile[] {
  return definition.files.map(({ name, bytes }, index) => ({
    name,
    guarded: guardOrClamp(plugin, bytes, {
      label: `plugins.${plugin.name}: ${name}`,
      maxMemoryPages: limits.pages(index),
      maxTableElements: limits.elements,
      snapshot: snapshotUse(plugin, definition),
    }),
  }));
}

/**
 * One module alone, whose memory and globals are all its state, and no directory it could change. In
 * a thread an instance that trapped is made anew.
 */
export function snapshotUse(
  { isolation, execution }: PluginConfig,
  { files, allowedPaths }: PluginDefinition,
): SnapshotUse | null {
  if (files.length > 1 || allowedPaths.length > 0) return null;
  if (isolation === 'fresh') return 'calls';
  return execution === 'thread' ? null : 'traps';
}

/** Inputs and outputs need a page too. */
function noRoom({ name }: PluginConfig, needed: number, limit: number): ServerError {
  return new ServerError(
    'PLUGIN_COMPILE_FAILED',
    `plugins.${name}: its memory starts with ${needed} pages, ${LEAST_HEAP_PAGES} for its inputs and outputs among them; the limit is ${limit}`,
    { details: { value: needed, limit } },
  );
}

/** What the guard cannot cover runs without it in a thread, if that is what the operator wants. */
function guardOrClamp(
  { execution }: PluginConfig,
  bytes: Uint8Array,
  options: GuardOptions,
): GuardedModule {
  try {
    return guardModule(bytes, options);
  } catch (error) {
    if (execution !== 'thread' || !(error instanceof ServerError)) throw error;
    const { execution: offered, feature, proposal } = error.details;
    if (offered !== 'thread') throw error;
    return clampModule(bytes, options, { feature: String(feature), proposal: String(proposal) });
  }
}
