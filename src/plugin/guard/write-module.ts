/**
 * Puts the rewritten module together, section by section in the binary format's order. Sections
 * that did not change are copied whole. Custom sections are dropped, since their offsets into the
 * code no longer hold, but for the names, which make stack traces readable, and the plugin's version.
 */

import { type Additions, addedFunctionTypes, HOST_SLOTS, writeAddedTypes } from './additions.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import {
  type ExportEntry,
  KIND_NAMES,
  type Limits,
  type ModuleFacts,
  SECTION,
  type TableType,
} from './module-facts.ts';
import { OP } from './opcodes.ts';

const KEPT_SECTIONS: ReadonlySet<string> = new Set(['name', 'version']);

/** What takes the place of the original. */
export interface Replacement {
  readonly added: Additions;
  readonly code: ByteWriter;
  readonly memory: Limits | undefined;
  readonly tables: readonly TableType[];
  readonly exports: readonly ExportEntry[];
}

export function writeModule(facts: ModuleFacts, replacement: Replacement): Uint8Array {
  const out = new ByteWriter(facts.bytes.length + replacement.code.length);
  out.append([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
  const scratch = new ByteWriter(1024);
  const section = (id: number, write: (to: ByteWriter) => void): void => {
    scratch.clear();
    write(scratch);
    out.u8(id);
    out.sized(scratch);
  };
  section(SECTION.type, (to) => writeTypes(to, facts));
  copySection(out, facts, SECTION.import);
  section(SECTION.function, (to) => writeFunctions(to, facts, replacement.added));
  section(SECTION.table, (to) => writeTables(to, replacement.tables));
  if (replacement.memory) section(SECTION.memory, (to) => writeMemory(to, replacement.memory));
  section(SECTION.global, (to) => writeGlobals(to, facts, replacement));
  section(SECTION.export, (to) => writeExports(to, replacement.exports));
  copySection(out, facts, SECTION.element);
  copySection(out, facts, SECTION.dataCount);
  out.u8(SECTION.code);
  out.sized(replacement.code);
  copySection(out, facts, SECTION.data);
  copyCustomSections(out, facts);
  return out.toBytes();
}

/** The elements of a vector section as they are, behind a count that includes the additions. */
function extendVector(to: ByteWriter, facts: ModuleFacts, id: number, additions: number): void {
  const found = facts.sections.find((candidate) => candidate.id === id);
  if (found === undefined) {
    to.u32(additions);
    return;
  }
  const reader = new ByteReader(facts.bytes, found.start, found.end);
  to.u32(reader.u32() + additions);
  to.range(facts.bytes, reader.pos, found.end);
}

function writeTypes(to: ByteWriter, facts: ModuleFacts): void {
  const types = new ByteWriter(64);
  const count = writeAddedTypes(types);
  extendVector(to, facts, SECTION.type, count);
  to.append(types.toBytes());
}

function writeFunctions(to: ByteWriter, facts: ModuleFacts, added: Additions): void {
  const types = addedFunctionTypes(facts, added);
  extendVector(to, facts, SECTION.function, types.length);
  for (const type of types) to.u32(type);
}

function writeTables(to: ByteWriter, tables: readonly TableType[]): void {
  to.u32(tables.length + 1);
  for (const { element, min, max } of tables) {
    to.u8(element);
    writeLimits(to, { min, max });
  }
  to.u8(OP.funcref);
  writeLimits(to, { min: HOST_SLOTS, max: HOST_SLOTS });
}

function writeMemory(to: ByteWriter, memory: Limits | undefined): void {
  to.u32(memory === undefined ? 0 : 1);
  if (memory !== undefined) writeLimits(to, memory);
}

function writeLimits(to: ByteWriter, { min, max }: Limits): void {
  to.u8(max === undefined ? 0 : 1);
  to.u32(min);
  if (max !== undefined) to.u32(max);
}

/** The fuel starts at 0, so whatever runs first asks the host before it does anything else. */
function writeGlobals(to: ByteWriter, facts: ModuleFacts, { added, memory }: Replacement): void {
  const initial = added.sizeGlobal === null ? [0] : [0, (memory as Limits).min];
  extendVector(to, facts, SECTION.global, initial.length);
  for (const value of initial) {
    to.append([OP.i32, 1, OP.i32Const]);
    to.s32(value);
    to.u8(OP.end);
  }
}

function writeExports(to: ByteWriter, entries: readonly ExportEntry[]): void {
  to.u32(entries.length);
  for (const { name, kind, index } of entries) {
    to.name(name);
    to.u8(KIND_NAMES.indexOf(kind));
    to.u32(index);
  }
}

function copySection(out: ByteWriter, facts: ModuleFacts, id: number): void {
  const found = facts.sections.find((candidate) => candidate.id === id);
  if (found === undefined) return;
  out.u8(id);
  out.u32(found.end - found.start);
  out.range(facts.bytes, found.start, found.end);
}

function copyCustomSections(out: ByteWriter, facts: ModuleFacts): void {
  for (const { id, start, end } of facts.sections) {
    if (id !== SECTION.custom) continue;
    if (!KEPT_SECTIONS.has(new ByteReader(facts.bytes, start, end).name())) continue;
    out.u8(SECTION.custom);
    out.u32(end - start);
    out.range(facts.bytes, start, end);
  }
}
