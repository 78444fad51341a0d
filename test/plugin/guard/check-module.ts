/**
 * Test helper: what has to hold for any bytes at all. What V8 takes is guarded into something V8
 * takes, or refused with the offer of a thread; the rest is refused; and a guarded module does the
 * same as the plain one and ends when it is told to (differential.ts). Used by the fuzzing campaign
 * and by the test of the corpus.
 */
import assert from 'node:assert/strict';
import { ServerError } from '../../../src/errors.ts';
import { guardModule } from '../../../src/plugin/guard/guard.ts';
import type { GuardedModule } from '../../../src/plugin/guard/guarded-module.ts';
import {
  checkSameAndBounded,
  type Host,
  type MakeImports,
  OUT_OF_BOUNDS,
  STACK_OVERFLOW,
} from './differential.ts';
import type { Random } from './random.ts';

const OPTIONS = {
  label: 'fuzz',
  maxMemoryPages: 65_536,
  maxTableElements: 10_000_000,
  snapshot: 'calls' as const,
};
/** The guarded code has larger frames: how deep a recursion gets is not the same. */
const MAX_DEPTH = 10;

/** What binaryen's modules import, and random-flow's `log`. */
function makeImports(bytes: Uint8Array): MakeImports {
  const module = new WebAssembly.Module(Uint8Array.from(bytes));
  const exported = WebAssembly.Module.exports(module).filter(({ kind }) => kind === 'function');
  return (host) => {
    const imports: WebAssembly.Imports = {};
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
      imports[from] ??= {};
      if (kind === 'function') imports[from][name] = hostFunction(host, name, exported);
      else if (kind === 'global') imports[from][name] = externalGlobal(name);
      else if (kind === 'table') {
        imports[from][name] = new WebAssembly.Table({ element: 'anyfunc', initial: 100 });
      } else imports[from][name] = new WebAssembly.Memory({ initial: 1 });
    }
    return imports;
  };
}

function externalGlobal(name: string): never {
  return (name.startsWith('extern') ? 'an external value' : 0) as never;
}

const MAX_ENTRIES = 100;

function hostFunction(
  host: Host,
  name: string,
  exported: readonly WebAssembly.ModuleExportDescriptor[],
): () => unknown {
  const { entries } = host;
  const nested = <T>(run: () => T): T => {
    if (entries.depth === MAX_DEPTH) throw new RangeError('called too deep');
    if (entries.count === MAX_ENTRIES) throw new RangeError('called too often');
    entries.count += 1;
    entries.depth += 1;
    try {
      return run();
    } finally {
      entries.depth -= 1;
    }
  };
  const call = (target: unknown): unknown => {
    if (typeof target !== 'function') throw new TypeError('not a function');
    return nested(() => target(...Array(target.length).fill(0)));
  };
  const caught = (run: () => unknown): number => {
    try {
      run();
      return 0;
    } catch (error) {
      if (host.denied) throw error;
      for (const limit of [STACK_OVERFLOW, OUT_OF_BOUNDS]) {
        if (String(error).includes(limit)) host.trace.push(`caught ${limit}`);
      }
      return 1;
    }
  };
  const byIndex = (index: number): unknown => {
    const found = exported[(index >>> 0) % Math.max(exported.length, 1)];
    if (found === undefined) throw new RangeError('no such export');
    return nested(() => host.call(found.name));
  };
  return (...args: unknown[]) => {
    host.trace.push(
      `${name}(${args.map((arg) => (typeof arg === 'function' ? 'f' : String(arg)))})`,
    );
    if (name === 'call-export') byIndex(args[0] as number);
    if (name === 'call-export-catch') return caught(() => byIndex(args[0] as number));
    if (name === 'call-ref') call(args[0]);
    if (name === 'call-ref-catch') return caught(() => call(args[0]));
    if (name === 'throw') throw new Error('thrown by the host');
    return undefined;
  };
}

/** null: refused, as it should be. */
function guardOrRefuse(bytes: Uint8Array, isValid: boolean): GuardedModule | null {
  try {
    return guardModule(bytes, OPTIONS);
  } catch (error) {
    assert.ok(error instanceof ServerError, String(error));
    assert.equal(error.code, 'PLUGIN_COMPILE_FAILED', `${error.message}: ${error.cause}`);
    assert.ok(error.details.execution === 'thread' || !isValid, error.message);
    return null;
  }
}

/** How a module that behaved went: `invalid` and `refused` ones were not run. */
export type ModuleOutcome = 'same' | 'refused' | 'invalid';

/** Throws an AssertionError for a module that the guard gets wrong. */
export function checkModule(bytes: Uint8Array, random: Random): ModuleOutcome {
  const isValid = WebAssembly.validate(Uint8Array.from(bytes));
  const guarded = guardOrRefuse(bytes, isValid);
  assert.ok(isValid || guarded === null, 'an invalid module was taken');
  if (guarded === null) return isValid ? 'refused' : 'invalid';
  const windUp = ['reset', 'hangLimitInitializer'].find((name) =>
    guarded.functions.some((item) => item.name === name),
  );
  checkSameAndBounded(bytes, guarded, makeImports(bytes), windUp ?? null, random);
  return 'same';
}
