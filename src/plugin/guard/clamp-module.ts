/**
 * What is done to a module that the guard cannot cover, and that runs in a thread of its own: its
 * code stays as it is, and nothing in it looks at a deadline. The maxima of its memories and tables are
 * clamped, its start function and those that run first wait for us, as in a guarded module. Objects of
 * the engine (garbage collection) are bounded by the thread's heap, which holds for small ones alone:
 * arrays are refused, since V8 ends the whole process for one that does not fit.
 */
import { ServerError } from '../../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { checkReservedNames, exportName } from './exported-names.ts';
import {
  type FunctionType,
  GUARD_EXPORTS,
  type GuardedFunction,
  type GuardedModule,
  type GuardOptions,
  type Unguarded,
} from './guarded-module.ts';
import {
  type LooseExport,
  type LooseLimits,
  type LooseMemory,
  type LooseTable,
  readLooseExports,
  readLooseImports,
  readLooseMemories,
  readLooseTables,
  readLooseTypes,
} from './loose-sections.ts';
import { KIND_NAMES, SECTION } from './module-facts.ts';
import { readSections } from './read-module.ts';
import { refusal } from './refusal.ts';
import { compile } from './validation.ts';

const FUNCTION = KIND_NAMES.indexOf('function');
const MEMORY = KIND_NAMES.indexOf('memory');
const HAS_MAX = 1;

/**
 * @param bytes of a module that V8 takes and `guardModule` refused with the offer of a thread.
 * @throws ServerError `PLUGIN_COMPILE_FAILED`.
 */
export function clampModule(
  bytes: Uint8Array,
  options: Pick<GuardOptions, 'label' | 'maxMemoryPages' | 'maxTableElements'>,
  unguarded: Unguarded,
): GuardedModule {
  try {
    return clamp(bytes, options, unguarded);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    const { code, message, cause, details } = error;
    throw new ServerError(code, `${options.label}: ${message}`, { cause, details });
  }
}

function clamp(
  bytes: Uint8Array,
  { maxMemoryPages, maxTableElements }: Parameters<typeof clampModule>[1],
  unguarded: Unguarded,
): GuardedModule {
  const sections = readSections(bytes);
  const reader = (id: number): ByteReader | undefined => {
    const found = sections.find((section) => section.id === id);
    return found && new ByteReader(bytes, found.start, found.end);
  };
  const types = readLooseTypes(reader(SECTION.type));
  const imports = readLooseImports(reader(SECTION.import), types);
  const memories = clampLimits(readLooseMemories(reader(SECTION.memory)), maxMemoryPages, {
    startsWith: 'its memory starts with',
    unit: 'pages',
  });
  const tables = clampLimits(readLooseTables(reader(SECTION.table)), maxTableElements, {
    startsWith: 'its tables start with',
    unit: 'elements',
  });
  const exported = readLooseExports(reader(SECTION.export));
  checkReservedNames({ imports: imports.entries, exports: exported });
  const start = reader(SECTION.start)?.u32() ?? -1;
  const memory = imports.memories[0] ?? memories[0];
  const written = rewrite(bytes, sections, {
    memories,
    tables,
    exports: hostExports(exported, start, memory),
  });
  const typeOf = functionTypes(reader(SECTION.function), imports.functionTypes, types);
  return {
    unguarded,
    module: compile(written),
    bytes: written,
    functions: exportedFunctions(exported, typeOf),
    imports: imports.entries,
    memory:
      memory?.isPlain === true
        ? {
            imported: imports.memories.length > 0,
            minPages: memory.min,
            maxPages: memory.max ?? null,
          }
        : null,
    ownPages: {
      min: memories.reduce((sum, { min }) => sum + min, 0),
      max: memories.reduce((sum, { max }) => sum + (max as number), 0),
    },
    hasStart: start >= 0,
    globals: [],
    snapshot: { restorable: false, reasons: ['it is not guarded'] },
  };
}

/** Several memories, or tables, share what they may grow by. */
function clampLimits<T extends LooseLimits>(
  declared: readonly T[],
  limit: number,
  { startsWith, unit }: { readonly startsWith: string; readonly unit: string },
): T[] {
  const total = declared.reduce((sum, { min }) => sum + min, 0);
  if (total > limit) {
    const details = { value: total, limit };
    throw refusal(`${startsWith} ${total} ${unit}, the limit is ${limit}`, details);
  }
  const room = Math.floor((limit - total) / Math.max(declared.length, 1));
  return declared.map((one) => ({
    ...one,
    flags: one.flags | HAS_MAX,
    max: Math.min(one.max ?? limit, one.min + room),
  }));
}

function hostExports(
  own: readonly LooseExport[],
  start: number,
  memory: LooseMemory | undefined,
): LooseExport[] {
  const entries = own.map((entry) => ({ ...entry, name: nameFor(entry) }));
  if (start >= 0) entries.push({ name: GUARD_EXPORTS.start, kind: FUNCTION, index: start });
  if (memory?.isPlain === true) {
    entries.push({ name: GUARD_EXPORTS.memory, kind: MEMORY, index: 0 });
  }
  return entries;
}

function nameFor({ name, kind }: LooseExport): string {
  return kind === FUNCTION ? exportName({ name, kind: 'function' }) : name;
}

function functionTypes(
  reader: ByteReader | undefined,
  imported: readonly number[],
  types: readonly (FunctionType | null)[],
): (index: number) => FunctionType | null {
  const indexes = [...imported];
  for (let left = reader?.count('functions') ?? 0; reader !== undefined && left > 0; left--) {
    indexes.push(reader.u32());
  }
  return (index) => types[indexes[index] as number] ?? null;
}

/** Those that nobody could call from here are left out. */
function exportedFunctions(
  entries: readonly LooseExport[],
  typeOf: (index: number) => FunctionType | null,
): GuardedFunction[] {
  return entries
    .filter(({ kind }) => kind === FUNCTION)
    .flatMap((entry) => {
      const type = typeOf(entry.index);
      return type === null ? [] : [{ name: entry.name, exportName: nameFor(entry), ...type }];
    });
}

function rewrite(
  bytes: Uint8Array,
  sections: ReturnType<typeof readSections>,
  changed: {
    readonly memories: readonly LooseMemory[];
    readonly tables: readonly LooseTable[];
    readonly exports: readonly LooseExport[];
  },
): Uint8Array {
  const out = new ByteWriter(bytes.length + 1024);
  const scratch = new ByteWriter(1024);
  out.append([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
  for (const { id, start, end } of sections) {
    if (id === SECTION.start) continue;
    scratch.clear();
    if (id === SECTION.memory) writeMemories(scratch, changed.memories);
    else if (id === SECTION.table) writeTables(scratch, changed.tables);
    else if (id === SECTION.export) writeExports(scratch, changed.exports);
    else scratch.range(bytes, start, end);
    out.u8(id);
    out.sized(scratch);
  }
  return out.toBytes();
}

function writeMemories(to: ByteWriter, memories: readonly LooseMemory[]): void {
  to.u32(memories.length);
  for (const memory of memories) writeLimits(to, memory);
}

function writeTables(to: ByteWriter, tables: readonly LooseTable[]): void {
  to.u32(tables.length);
  for (const table of tables) {
    to.append(table.element);
    writeLimits(to, table);
  }
}

function writeLimits(to: ByteWriter, { flags, min, max }: LooseLimits): void {
  to.u8(flags);
  to.u32(min);
  to.u32(max as number);
}

function writeExports(to: ByteWriter, entries: readonly LooseExport[]): void {
  to.u32(entries.length);
  for (const { name, kind, index } of entries) {
    to.name(name);
    to.u8(kind);
    to.u32(index);
  }
}
