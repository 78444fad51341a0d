/**
 * Generates the manifest's `main` item: a module without code that imports what the host needs from
 * the kernel and from the guest's items and exports it again, so that the instance the SDK returns
 * has all of it. Wasm-to-wasm imports keep their identity: calling such an export calls the guest.
 */

/** Types of the core specification that can stand in a signature or a global. */
export type ShimValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'funcref' | 'externref';

interface ShimSource {
  /** Name of the manifest item that exports it. */
  readonly module: string;
  readonly name: string;
  /** Name that the shim gives it; each only once. */
  readonly as: string;
}

/** One thing to import and to export again. Types must be the real ones, or linking fails. */
export type ShimImport = ShimSource &
  (
    | {
        readonly kind: 'function';
        readonly params: readonly ShimValueType[];
        readonly results: readonly ShimValueType[];
      }
    | { readonly kind: 'global'; readonly type: ShimValueType; readonly mutable: boolean }
    | { readonly kind: 'table'; readonly element: 'funcref' | 'externref' }
    | { readonly kind: 'memory' }
  );

const VALUE_TYPE: Readonly<Record<ShimValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
};
const KIND = { function: 0, table: 1, memory: 2, global: 3 } as const;
const SECTION = { type: 1, import: 2, export: 7 } as const;
const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
/** No maximum and a minimum of 0: matches a memory or table of any size. */
const ANY_LIMITS = [0x00, 0x00];

/** The bytes of the shim module. */
export function encodeShim(imports: readonly ShimImport[]): Uint8Array<ArrayBuffer> {
  const types: number[][] = [];
  const entries: number[][] = [];
  const exports: number[][] = [];
  const count = { function: 0, table: 0, memory: 0, global: 0 };
  for (const wanted of imports) {
    entries.push([
      ...text(wanted.module),
      ...text(wanted.name),
      KIND[wanted.kind],
      ...describe(wanted, types),
    ]);
    exports.push([...text(wanted.as), KIND[wanted.kind], ...leb128(count[wanted.kind]++)]);
  }
  return Uint8Array.from([
    ...PREAMBLE,
    ...section(SECTION.type, types),
    ...section(SECTION.import, entries),
    ...section(SECTION.export, exports),
  ]);
}

function describe(wanted: ShimImport, types: number[][]): number[] {
  switch (wanted.kind) {
    case 'function':
      return leb128(types.push([0x60, ...vector(wanted.params), ...vector(wanted.results)]) - 1);
    case 'global':
      return [VALUE_TYPE[wanted.type], wanted.mutable ? 1 : 0];
    case 'table':
      return [VALUE_TYPE[wanted.element], ...ANY_LIMITS];
    case 'memory':
      return ANY_LIMITS;
  }
}

function section(id: number, items: readonly number[][]): number[] {
  const content = [...leb128(items.length), ...items.flat()];
  return [id, ...leb128(content.length), ...content];
}

function vector(types: readonly ShimValueType[]): number[] {
  return [...leb128(types.length), ...types.map((type) => VALUE_TYPE[type])];
}

function text(value: string): number[] {
  const bytes = Buffer.from(value, 'utf8');
  return [...leb128(bytes.length), ...bytes];
}

/** Unsigned, as short as can be. */
function leb128(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}
