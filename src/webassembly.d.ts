/**
 * The part of the WebAssembly JavaScript interface this project uses. No Node type package holds
 * it (it lives in TypeScript's DOM library, which would bring every browser global along).
 */
declare namespace WebAssembly {
  type ImportExportKind = 'function' | 'global' | 'memory' | 'table' | 'tag';
  type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'funcref' | 'externref';
  /** Parameters and results are numbers, bigints for i64. */
  type ExportedFunction = (...args: never[]) => unknown;
  type ExportValue = ExportedFunction | Global | Memory | Table;
  type Exports = Record<string, ExportValue>;
  type Imports = Record<string, Record<string, ExportValue | number | bigint>>;

  interface ModuleExportDescriptor {
    name: string;
    kind: ImportExportKind;
  }
  interface ModuleImportDescriptor {
    module: string;
    name: string;
    kind: ImportExportKind;
  }

  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}

  class Module {
    constructor(bytes: BufferSource);
    static exports(module: Module): ModuleExportDescriptor[];
    static imports(module: Module): ModuleImportDescriptor[];
    static customSections(module: Module, name: string): ArrayBuffer[];
  }
  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Exports;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Table {
    constructor(descriptor: {
      element: 'anyfunc' | 'externref';
      initial: number;
      maximum?: number;
    });
    readonly length: number;
    get(index: number): unknown;
    set(index: number, value?: unknown): void;
    grow(delta: number): number;
  }
  class Global<T = number | bigint> {
    constructor(descriptor: { value: ValueType; mutable?: boolean }, value?: T);
    value: T;
  }
  /** JavaScript Promise Integration; there on V8 13.7 and later (Node 25). */
  const Suspending: (new (fn: (...args: never[]) => unknown) => ExportedFunction) | undefined;
  const promising: ((fn: ExportedFunction) => (...args: unknown[]) => Promise<unknown>) | undefined;

  function compile(bytes: BufferSource): Promise<Module>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
  function validate(bytes: BufferSource): boolean;
}

type BufferSource = ArrayBufferView | ArrayBuffer;
