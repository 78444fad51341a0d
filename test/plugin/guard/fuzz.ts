/**
 * A fuzzing campaign against the guard; not part of the tests, which run a little of the same:
 *
 *     node --import tsx test/plugin/guard/fuzz.ts --seconds 600 --seed 1
 *
 * Modules come from binaryen's fuzzer and from random-flow. For each: what V8 takes is guarded into
 * something V8 takes, or refused; guarded with fuel it does the same as plain; with any fuel for
 * any number of periods it ends. A module that fails is written to the folder given by --keep.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ServerError } from '../../../src/errors.ts';
import { guardModule } from '../../../src/plugin/guard/guard.ts';
import type { GuardedModule } from '../../../src/plugin/guard/guarded-module.ts';
import { checkSameAndBounded, type Host, type MakeImports } from './differential.ts';
import { Random } from './random.ts';
import { randomFlow } from './random-flow.ts';
import { RandomModules } from './random-module.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    size: { type: 'string', default: '8000' },
    keep: { type: 'string' },
  },
});
const OPTIONS = {
  label: 'fuzz',
  maxMemoryPages: 65_536,
  maxTableElements: 10_000_000,
  exportGlobals: true,
};
/** The guarded code has larger frames: how deep a recursion gets is not the same. */
const MAX_DEPTH = 10;
const count = { flow: 0, binaryen: 0, refused: 0, invalid: 0 };

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

/** How many calls from the host into the guest are open. */
let depth = 0;

function hostFunction(
  host: Host,
  name: string,
  exported: readonly WebAssembly.ModuleExportDescriptor[],
): () => unknown {
  const nested = <T>(run: () => T): T => {
    if (depth === MAX_DEPTH) throw new RangeError('called too deep');
    depth += 1;
    try {
      return run();
    } finally {
      depth -= 1;
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

function guardOrRefuse(bytes: Uint8Array): GuardedModule | undefined {
  try {
    return guardModule(bytes, OPTIONS);
  } catch (error) {
    assert.ok(error instanceof ServerError, String(error));
    assert.equal(error.code, 'PLUGIN_COMPILE_FAILED', `${error.message}: ${error.cause}`);
    assert.ok(
      error.details.execution === 'thread' || !WebAssembly.validate(Uint8Array.from(bytes)),
    );
    count.refused += 1;
    return undefined;
  }
}

function check(bytes: Uint8Array, random: Random): void {
  const guarded = guardOrRefuse(bytes);
  if (!WebAssembly.validate(Uint8Array.from(bytes))) count.invalid += 1;
  if (guarded === undefined) return;
  const reset = ['reset', 'hangLimitInitializer'].find((name) =>
    guarded.functions.some((item) => item.name === name),
  );
  checkSameAndBounded(bytes, guarded, makeImports(bytes), reset ?? null, random);
}

async function campaign(): Promise<void> {
  const first = Number(values.seed);
  const end = performance.now() + Number(values.seconds) * 1000;
  const modules = new RandomModules();
  try {
    for (let seed = first; performance.now() < end; seed += 1) {
      const random = new Random(seed);
      const fromFlow = seed % 4 !== 0;
      const bytes = fromFlow ? randomFlow(seed) : await modules.make(random, Number(values.size));
      count[fromFlow ? 'flow' : 'binaryen'] += 1;
      try {
        check(bytes, random);
      } catch (error) {
        if (values.keep !== undefined) writeFileSync(path.join(values.keep, `${seed}.wasm`), bytes);
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  } finally {
    modules.close();
    process.stdout.write(`from seed ${first}: ${JSON.stringify(count)}\n`);
  }
}

await campaign();
