/**
 * Reads a module's sections into `ModuleFacts`: everything but the function bodies, the element
 * and the data segments, which are copied or walked later. V8 has validated the bytes by then;
 * the checks here are what bounds memory and time, and what refuses proposals by name.
 */
import { ByteReader } from './byte-reader.ts';
import {
  type ExportEntry,
  type FunctionTypes,
  type ImportEntry,
  KIND_NAMES,
  type Limits,
  type ModuleFacts,
  SECTION,
  type SectionRange,
  type TableType,
} from './module-facts.ts';
import { readGlobals } from './read-globals.ts';
import { checkValueType, readFunctionTypes, readMemoryType, readTableType } from './read-types.ts';
import { malformed, refusal, unsupported } from './refusal.ts';

/** More than any compiler writes; each becomes an object here and a property in the host. */
const MAX_IMPORTS = 10_000;
const MAX_EXPORTS = 10_000;
const MAX_TABLES = 64;
/** V8 takes a million each of types, functions and globals; the guard adds a few of its own. */
const MAX_INDICES = 999_990;

const EMPTY_TYPES: FunctionTypes = {
  starts: new Int32Array(0),
  params: new Uint16Array(0),
  results: new Uint16Array(0),
};

/** The header and where each section lies. */
export function readSections(bytes: Uint8Array): readonly SectionRange[] {
  const reader = new ByteReader(bytes, 0, bytes.length);
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  for (const [index, expected] of header.entries()) {
    if (bytes[index] === expected) continue;
    if (index === 4 && bytes[4] === 0x0d) throw refusal('a component is not a core module');
    throw malformed('not a WebAssembly module', index);
  }
  reader.pos = 8;
  const sections: SectionRange[] = [];
  while (!reader.atEnd) {
    const id = reader.u8();
    const size = reader.count('bytes of a section');
    if (id > SECTION.tag) throw malformed(`unknown section ${id}`, reader.pos);
    sections.push({ id, start: reader.pos, end: reader.pos + size });
    reader.pos += size;
  }
  return sections;
}

interface Imports {
  readonly entries: ImportEntry[];
  readonly functionTypes: number[];
  readonly tables: TableType[];
  readonly memories: Limits[];
  readonly globalTypes: number[];
  readonly globalMutable: number[];
}

function readImports(reader: ByteReader | undefined): Imports {
  const found: Imports = {
    entries: [],
    functionTypes: [],
    tables: [],
    memories: [],
    globalTypes: [],
    globalMutable: [],
  };
  const count = reader?.count('imports', 4) ?? 0;
  if (count > MAX_IMPORTS) throw refusal(`${count} imports, the limit is ${MAX_IMPORTS}`);
  for (let index = 0; reader !== undefined && index < count; index += 1) {
    const module = reader.name();
    const name = reader.name();
    const code = reader.u8();
    if (code === 4) throw unsupported('a tag', 'exception handling', 'an import');
    const kind = KIND_NAMES[code];
    if (kind === undefined) throw malformed(`unknown kind ${code} of import`, reader.pos);
    found.entries.push({ module, name, kind });
    if (kind === 'function') found.functionTypes.push(reader.u32());
    else if (kind === 'table') found.tables.push(readTableType(reader));
    else if (kind === 'memory') found.memories.push(readMemoryType(reader));
    else {
      const type = reader.u8();
      checkValueType(type, 'an imported global', reader.pos);
      found.globalTypes.push(type);
      found.globalMutable.push(reader.u8());
    }
  }
  return found;
}

function readExports(reader: ByteReader | undefined): ExportEntry[] {
  const entries: ExportEntry[] = [];
  const count = reader?.count('exports', 3) ?? 0;
  if (count > MAX_EXPORTS) throw refusal(`${count} exports, the limit is ${MAX_EXPORTS}`);
  for (let index = 0; reader !== undefined && index < count; index += 1) {
    const name = reader.name();
    const code = reader.u8();
    if (code === 4) throw unsupported('a tag', 'exception handling', 'an export');
    const kind = KIND_NAMES[code];
    if (kind === undefined) throw malformed(`unknown kind ${code} of export`, reader.pos);
    entries.push({ name, kind, index: reader.u32() });
  }
  return entries;
}

function readFunctionSection(
  reader: ByteReader | undefined,
  imported: readonly number[],
): Int32Array {
  const count = reader?.count('functions') ?? 0;
  const types = new Int32Array(imported.length + count);
  types.set(imported);
  for (let index = 0; reader !== undefined && index < count; index += 1) {
    types[imported.length + index] = reader.u32();
  }
  return types;
}

function readTables(reader: ByteReader | undefined, imported: readonly TableType[]): TableType[] {
  const tables = [...imported];
  const count = reader?.count('tables', 3) ?? 0;
  if (tables.length + count > MAX_TABLES) {
    throw refusal(`${tables.length + count} tables, the limit is ${MAX_TABLES}`);
  }
  for (let index = 0; reader !== undefined && index < count; index += 1) {
    tables.push(readTableType(reader));
  }
  return tables;
}

function readMemory(
  reader: ByteReader | undefined,
  imported: readonly Limits[],
): Limits | undefined {
  const memories = [...imported];
  const count = reader?.count('memories', 2) ?? 0;
  for (let index = 0; reader !== undefined && index < count; index += 1) {
    memories.push(readMemoryType(reader));
    if (memories.length > 1) throw unsupported('several memories', 'multi-memory', 'the module');
  }
  return memories[0];
}

function readBodies(
  reader: ByteReader | undefined,
  declared: number,
): Pick<ModuleFacts, 'bodyStarts' | 'bodyEnds'> {
  const count = reader?.count('function bodies', 2) ?? 0;
  if (count !== declared) throw malformed(`${declared} functions but ${count} bodies`, 0);
  const bodyStarts = new Int32Array(count);
  const bodyEnds = new Int32Array(count);
  for (let index = 0; reader !== undefined && index < count; index += 1) {
    const size = reader.count('bytes of a function body');
    bodyStarts[index] = reader.pos;
    reader.pos += size;
    bodyEnds[index] = reader.pos;
  }
  return { bodyStarts, bodyEnds };
}

function checkCount(what: string, count: number): void {
  if (count > MAX_INDICES) throw refusal(`${count} ${what}, the limit is ${MAX_INDICES}`);
}

/** Reads all but code, elements and data. Throws PLUGIN_COMPILE_FAILED. */
export function readModule(bytes: Uint8Array): ModuleFacts {
  const sections = readSections(bytes);
  const reader = (id: number): ByteReader | undefined => {
    const section = sections.find((candidate) => candidate.id === id);
    return section && new ByteReader(bytes, section.start, section.end);
  };
  const typeReader = reader(SECTION.type);
  const types = typeReader ? readFunctionTypes(typeReader) : EMPTY_TYPES;
  const imports = readImports(reader(SECTION.import));
  const functionTypes = readFunctionSection(reader(SECTION.function), imports.functionTypes);
  const globals = readGlobals(reader(SECTION.global), imports.globalTypes, imports.globalMutable);
  checkCount('types', types.starts.length);
  checkCount('functions', functionTypes.length);
  checkCount('globals', globals.globalTypes.length);
  for (const type of functionTypes) {
    if (type >= types.starts.length || type < 0) throw malformed('unknown function type', 0);
  }
  return {
    bytes,
    sections,
    types,
    imports: imports.entries,
    importedFunctions: imports.functionTypes.length,
    importedTables: imports.tables.length,
    importedMemories: imports.memories.length,
    importedGlobals: imports.globalTypes.length,
    importsMutableGlobal: imports.globalMutable.includes(1),
    functionTypes,
    tables: readTables(reader(SECTION.table), imports.tables),
    memory: readMemory(reader(SECTION.memory), imports.memories),
    ...globals,
    exports: readExports(reader(SECTION.export)),
    startFunction: reader(SECTION.start)?.u32() ?? -1,
    ...readBodies(reader(SECTION.code), functionTypes.length - imports.functionTypes.length),
  };
}
