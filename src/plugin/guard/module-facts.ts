/**
 * What the readers found in a module and the later steps need: counts, types, limits and where
 * each section lies. Plain data; whatever can be numerous is held in typed arrays, so that a
 * hostile module cannot turn its bytes into many times as much memory.
 */

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  /** Tags of exceptions; not taken, but read over so that the opcode using them is named. */
  tag: 13,
} as const;

/** Kinds of imports and exports, as the binary format numbers them. */
export const KIND_NAMES = ['function', 'table', 'memory', 'global'] as const;
export type ExternalKind = (typeof KIND_NAMES)[number];

export type ValueTypeName = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'funcref' | 'externref';

/** Where a section's content lies. */
export interface SectionRange {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

export interface Limits {
  readonly min: number;
  /** `undefined` if the module sets none. */
  readonly max: number | undefined;
}

export interface TableType extends Limits {
  /** Byte of the element type: 0x70 funcref, 0x6f externref. */
  readonly element: number;
}

/** The function types, without an object for each. */
export interface FunctionTypes {
  /** Where the parameter vector of each type begins. */
  readonly starts: Int32Array;
  readonly params: Uint16Array;
  readonly results: Uint16Array;
}

export interface ImportEntry {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternalKind;
}

export interface ExportEntry {
  readonly name: string;
  readonly kind: ExternalKind;
  readonly index: number;
}

/** Everything read before the first function body. Index spaces count imports first. */
export interface ModuleFacts {
  readonly bytes: Uint8Array;
  readonly sections: readonly SectionRange[];
  readonly types: FunctionTypes;
  readonly imports: readonly ImportEntry[];
  readonly importedFunctions: number;
  readonly importedTables: number;
  readonly importedMemories: number;
  readonly importedGlobals: number;
  readonly importsMutableGlobal: boolean;
  /** Type index of each function. */
  readonly functionTypes: Int32Array;
  readonly tables: readonly TableType[];
  readonly memory: Limits | undefined;
  /** Byte of the value type of each global. */
  readonly globalTypes: Uint8Array;
  readonly globalMutable: Uint8Array;
  readonly exports: readonly ExportEntry[];
  /** Index of the start function, -1 if there is none. */
  readonly startFunction: number;
  /** Where each function body begins (at its local declarations), and after the last one its end. */
  readonly bodyStarts: Int32Array;
  readonly bodyEnds: Int32Array;
}
