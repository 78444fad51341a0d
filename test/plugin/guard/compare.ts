/**
 * Test helper: runs a module as it is and guarded, and compares everything a host can see: results
 * or the kind of error, memory, and exported globals. The guarded one runs with hardly any fuel, so
 * that every charge asks the host, and with plenty.
 */
import assert from 'node:assert/strict';
import { assemble } from './assemble.ts';
import { type AnyFunction, instantiate } from './guarded-instance.ts';

export type Call = readonly [name: string, ...args: unknown[]];

type Outcome = { readonly result: unknown } | { readonly error: string };

function outcome(run: () => unknown): Outcome {
  try {
    return { result: run() };
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return { error: error.message };
    if (error instanceof RangeError) return { error: 'stack overflow' };
    throw error;
  }
}

/** What can be seen from outside after a call. */
function state(exports: WebAssembly.Exports): unknown {
  const globals = Object.entries(exports)
    .filter(([name, item]) => item instanceof WebAssembly.Global && !name.startsWith('plugind:'))
    .map(([name, item]) => [name, (item as WebAssembly.Global).value]);
  const memory = exports.memory as WebAssembly.Memory | undefined;
  return { globals, memory: memory && Buffer.from(memory.buffer) };
}

export function compare(
  source: string | Uint8Array,
  calls: readonly Call[],
  imports?: WebAssembly.Imports,
): void {
  const bytes = typeof source === 'string' ? assemble(source) : source;
  for (const fuel of [1, 7, 1_000_000]) {
    const plain = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;
    const guarded = instantiate(bytes, { fuel, ...(imports && { imports }) });
    for (const [name, ...args] of calls) {
      const expected = outcome(() => (plain[name] as unknown as AnyFunction)(...args));
      const actual = outcome(() => guarded.call(name, ...args));
      const where = `${name}(${args.join(', ')}) with fuel ${fuel}`;
      assert.deepEqual(actual, expected, where);
      assert.deepEqual(state(guarded.exports), state(plain), `state after ${where}`);
    }
  }
}
