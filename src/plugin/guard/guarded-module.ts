/**
 * What the guard is asked for and what it gives back: the contract between it and the rest of the
 * engine. Names in the reserved namespace are exports of the rewritten module for the host alone.
 */
import type { ExternalKind, ValueTypeName } from './module-facts.ts';

/** Every import and export that begins with this is the engine's; a guest's own is refused. */
export const RESERVED_PREFIX = 'plugind:';

/** Names of what the guard exports. */
export const GUARD_EXPORTS = {
  /** Mutable i32 global: units left until the host is asked. Set it before a call; 0 asks at once. */
  fuel: 'plugind:fuel',
  /**
   * Table of two funcrefs. The host puts a function `() -> i32` into slot 0 before anything runs:
   * it answers with fresh fuel (1 to 2^30), or 0 to end the call with a trap. And into slot 1 one
   * `(pages) -> i32`: whether the memory may grow by so many, asked before each memory.grow that it
   * has not the pages for; 0 makes that give -1.
   */
  check: 'plugind:check',
  /** The start function, `() -> ()`, which is not run at instantiation any more. */
  start: 'plugind:start',
  /** The memory, whether or not the guest exports it. */
  memory: 'plugind:memory',
  /** `() -> i32`, the size of a memory that is the module's own, for who cannot reach that itself. */
  pages: 'plugind:pages',
  /** Mutable i32 global: the size that such a memory has for the guest, which a snapshot sets back. */
  size: 'plugind:size',
} as const;

export interface GuardOptions {
  /** What the module is called in messages, such as its file name. */
  readonly label: string;
  /** Most pages of 64 KiB its memory may reach. */
  readonly maxMemoryPages: number;
  /** Most elements that its tables may hold at their start, and that they may grow to together. */
  readonly maxTableElements: number;
  /**
   * What snapshots it is made for, if one can hold its state: mutable globals are exported as
   * `plugind:g<index>`, and for those of calls a memory that grows as `plugind:size`. null: for none, as
   * with modules that could reach that memory, since these would see its real size.
   */
  readonly snapshot: SnapshotUse | null;
}

/** calls: laid back before each call, whatever grew. traps: after a call that trapped and grew nothing. */
export type SnapshotUse = 'calls' | 'traps';

export interface FunctionType {
  readonly params: readonly ValueTypeName[];
  readonly results: readonly ValueTypeName[];
}

export interface GuardedFunction extends FunctionType {
  /** The name that the guest gave it. */
  readonly name: string;
  /** The name it is exported by now; another one for those that run before the first call. */
  readonly exportName: string;
}

export interface GuardedImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternalKind;
  /** The type, if it is a function. */
  readonly type: FunctionType | null;
}

export interface GuardedGlobal {
  readonly name: string;
  readonly type: ValueTypeName;
}

export interface GuardedMemory {
  readonly imported: boolean;
  readonly minPages: number;
  /** Already clamped, unless imported without a maximum: then null. */
  readonly maxPages: number | null;
}

export interface SnapshotSupport {
  /** Whether memory and `globals` are all the state there is, after a start. */
  readonly restorable: boolean;
  /** Why not, a short phrase each. */
  readonly reasons: readonly string[];
}

/** A module that runs as its author built it, but for its memory's maximum (clamp-module.ts). */
export interface Unguarded {
  /** What it uses that the guard cannot cover: an opcode's text name, or what stands in its place. */
  readonly feature: string;
  readonly proposal: string;
}

export interface GuardedModule {
  /** null: guarded. Else nothing in it asks for the deadline, and it has neither fuel nor check. */
  readonly unguarded: Unguarded | null;
  /** The rewritten module, compiled, which is how V8 validated it. */
  readonly module: WebAssembly.Module;
  /** Its bytes. */
  readonly bytes: Uint8Array;
  /** Exported functions. */
  readonly functions: readonly GuardedFunction[];
  readonly imports: readonly GuardedImport[];
  /** `null` if there is none. */
  readonly memory: GuardedMemory | null;
  /** Of all memories that it defines itself: at its start, and clamped. */
  readonly ownPages: { readonly min: number; readonly max: number };
  /** Whether there was a start function; it is `plugind:start` now and runs before all else. */
  readonly hasStart: boolean;
  /** Exports that are mutable globals to save and to restore. */
  readonly globals: readonly GuardedGlobal[];
  readonly snapshot: SnapshotSupport;
}
