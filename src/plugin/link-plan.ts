/**
 * How a plugin's modules are linked: the items given to the SDK, and the `main` shim that brings
 * together what the host needs of every guarded module. Made once at compile time; every instance
 * of the plugin is linked by the same plan.
 *
 * The kernel itself is no item: the shim would have to import its memory beside the guest's, and a
 * module may import one memory only (V8 before 12.x has no multi-memory). Its item hands its functions
 * through (kernel-item.ts).
 */
import { ServerError } from '../errors.ts';
import { GUARD_EXPORTS, type GuardedFunction, type GuardedModule } from './guard/guarded-module.ts';
import { collectResultTypes, type ResultTypes } from './kernel/host-results.ts';
import { KERNEL_HOST_NAMESPACE, KERNEL_ITEM } from './kernel/kernel.ts';
import { encodeKernelItem } from './kernel/kernel-item.ts';
import { encodeShim, type ShimImport } from './kernel/shim.ts';
import { encodeWasiItem, WASI_ITEM } from './wasi/wasi-item.ts';

/** What the plugin's own module is called among the items; `main` is the shim. */
export const GUEST_ITEM = 'plugind:guest';

export interface GuardedFile {
  readonly name: string;
  readonly guarded: GuardedModule;
}

/** Where to find one module's parts among the shim's exports. */
export interface LinkedModule {
  /** null where the module runs without the guard. */
  readonly guard: { readonly fuel: string; readonly check: string } | null;
  /** Tells the size of its memory; null where it has none of its own or runs without the guard. */
  readonly pages: string | null;
  /** One of `globals`: the pages that the guest sees of it; null where it sees all. */
  readonly size: string | null;
  readonly globals: readonly string[];
  /** Exports to run once, in this order, before the first call. */
  readonly initialisers: readonly string[];
}

export interface LinkPlan {
  readonly items: readonly { readonly name: string; readonly module: WebAssembly.Module }[];
  /** In the order in which they are to be initialised: the plugin's own module last. */
  readonly modules: readonly LinkedModule[];
  /** Callable function -> its name among the shim's exports. */
  readonly calls: ReadonlyMap<string, string>;
  /** The memory of the plugin's own module; those of others cannot be reached beside it. */
  readonly memory: string | null;
  /** Whether that one is to be counted by looking at it: it is the module's own, and unguarded. */
  readonly isMemoryUnguarded: boolean;
  readonly usesWasi: boolean;
  /** What host functions have to return. */
  readonly resultTypes: ResultTypes;
}

/** What answers the guard; wasm functions alone can stand in a table. */
export const GUARD_ANSWERS = { refuel: 'plugind:refuel', mayGrow: 'plugind:may_grow' } as const;

/** Run before the first call where the module has them. Source of the order: Extism's runtimes. */
const RUN_ONCE = ['hs_init', '_initialize', '__wasm_call_ctors'] as const;

/**
 * @param plugin for messages.
 * @param files with the plugin's own module named `main`.
 * @throws ServerError `PLUGIN_COMPILE_FAILED` for imports that the engine has not.
 */
export function planLinks(plugin: string, files: readonly GuardedFile[]): LinkPlan {
  try {
    return plan(files);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    const { code, message, cause, details } = error;
    throw new ServerError(code, `plugins.${plugin}: ${message}`, { cause, details });
  }
}

function plan(files: readonly GuardedFile[]): LinkPlan {
  const main = files.find(({ name }) => name === 'main') as GuardedFile;
  const ordered = [...files.filter((file) => file !== main), main];
  const imports: ShimImport[] = [
    {
      kind: 'function',
      module: KERNEL_HOST_NAMESPACE,
      name: 'refuel',
      as: GUARD_ANSWERS.refuel,
      params: [],
      results: ['i32'],
    },
    {
      kind: 'function',
      module: KERNEL_HOST_NAMESPACE,
      name: 'may_guest_grow',
      as: GUARD_ANSWERS.mayGrow,
      params: ['i32'],
      results: ['i32'],
    },
  ];
  const modules = ordered.map((file, index) => linkModule(file, index, imports));
  const calls = linkCalls(main.guarded, imports);
  const memory = main.guarded.memory === null ? null : GUARD_EXPORTS.memory;
  if (memory !== null)
    imports.push({ kind: 'memory', module: GUEST_ITEM, name: memory, as: memory });
  const items = ordered.map(({ name, guarded }) => ({
    name: itemName(name),
    module: guarded.module,
  }));
  const wanted = ordered.flatMap(({ guarded }) => guarded.imports);
  const wasi = encodeWasiItem(wanted);
  const kernel = encodeKernelItem(wanted);
  return {
    items: [
      { name: KERNEL_ITEM, module: new WebAssembly.Module(kernel) },
      ...(wasi === null ? [] : [{ name: WASI_ITEM, module: new WebAssembly.Module(wasi) }]),
      ...items,
      { name: 'main', module: new WebAssembly.Module(encodeShim(imports)) },
    ],
    modules,
    calls,
    memory,
    isMemoryUnguarded: main.guarded.unguarded !== null && main.guarded.memory?.imported === false,
    usesWasi: wasi !== null,
    resultTypes: collectResultTypes(wanted),
  };
}

/** Whether a route can call it: Extism's functions take nothing and return an error code or nothing. */
export function isCallable({ params, results }: GuardedFunction): boolean {
  return (
    params.length === 0 && (results.length === 0 || (results.length === 1 && results[0] === 'i32'))
  );
}

function itemName(name: string): string {
  return name === 'main' ? GUEST_ITEM : name;
}

function linkModule(
  { name, guarded }: GuardedFile,
  index: number,
  imports: ShimImport[],
): LinkedModule {
  const module = itemName(name);
  const as = (what: string): string => `${index}:${what}`;
  const { fuel, check, start, pages, size } = GUARD_EXPORTS;
  const counts = guarded.unguarded === null && guarded.memory?.imported === false;
  if (guarded.unguarded === null) {
    imports.push(
      { kind: 'global', module, name: fuel, as: as(fuel), type: 'i32', mutable: true },
      { kind: 'table', module, name: check, as: as(check), element: 'funcref' },
    );
  }
  if (counts) {
    const type = { params: [], results: ['i32'] } as const;
    imports.push({ kind: 'function', module, name: pages, as: as(pages), ...type });
  }
  for (const global of guarded.globals) {
    imports.push({
      kind: 'global',
      module,
      name: global.name,
      as: as(global.name),
      type: global.type,
      mutable: true,
    });
  }
  const initialisers: string[] = [];
  if (guarded.hasStart) {
    imports.push({ kind: 'function', module, name: start, as: as(start), params: [], results: [] });
    initialisers.push(as(start));
  }
  for (const runOnce of initialisersOf(guarded)) {
    const { params, results, exportName } = runOnce;
    imports.push({
      kind: 'function',
      module,
      name: exportName,
      as: as(exportName),
      params,
      results,
    });
    initialisers.push(as(exportName));
  }
  return {
    guard: guarded.unguarded === null ? { fuel: as(fuel), check: as(check) } : null,
    pages: counts ? as(pages) : null,
    size: guarded.globals.some(({ name }) => name === size) ? as(size) : null,
    globals: guarded.globals.map((global) => as(global.name)),
    initialisers,
  };
}

/** `__wasm_call_ctors` is called by `_initialize` itself where there is one. */
function initialisersOf(guarded: GuardedModule): GuardedFunction[] {
  const found = RUN_ONCE.flatMap((name) => guarded.functions.filter((one) => one.name === name));
  const hasInitialize = found.some(({ name }) => name === '_initialize');
  return found.filter(({ name }) => name !== '__wasm_call_ctors' || !hasInitialize);
}

function linkCalls(main: GuardedModule, imports: ShimImport[]): Map<string, string> {
  const calls = new Map<string, string>();
  for (const one of main.functions.filter(isCallable)) {
    if ((RUN_ONCE as readonly string[]).includes(one.name)) continue;
    const as = `call:${one.name}`;
    const { exportName, params, results } = one;
    imports.push({ kind: 'function', module: GUEST_ITEM, name: exportName, as, params, results });
    calls.set(one.name, as);
  }
  return calls;
}
