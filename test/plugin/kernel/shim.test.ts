/** The generated `main` module: every kind of import comes out again as the very same thing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeShim, type ShimImport } from '../../../src/plugin/kernel/shim.ts';
import { assemble } from './linked.ts';

const PROVIDER = `(module
  (func (export "run") (result i32) (i32.const 7))
  (func (export "_initialize"))
  (func (export "hs_init") (param i32 i32))
  (func (export "many") (param i32 i64 f32 f64) (result i64 i32) (local.get 1) (local.get 0))
  (global (export "plugind:fuel") (mut i32) (i32.const 5))
  (global (export "constant") i64 (i64.const 9))
  (table (export "plugind:check") 1 1 funcref)
  (memory (export "memory") 2 10))`;

function instantiate(
  imports: readonly ShimImport[],
  provider: WebAssembly.Exports,
): WebAssembly.Exports {
  const module = new WebAssembly.Module(encodeShim(imports));
  return new WebAssembly.Instance(module, { guest: provider }).exports;
}

describe('shim', () => {
  it('re-exports functions, globals, tables and memories as they are', () => {
    const provider = new WebAssembly.Instance(assemble(PROVIDER)).exports;
    const from = { module: 'guest' };
    const exports = instantiate(
      [
        { ...from, kind: 'function', name: 'run', as: 'run', params: [], results: ['i32'] },
        { ...from, kind: 'memory', name: 'memory', as: 'plugind:guest-memory' },
        {
          ...from,
          kind: 'function',
          name: '_initialize',
          as: 'plugind:_initialize',
          params: [],
          results: [],
        },
        { ...from, kind: 'global', name: 'plugind:fuel', as: 'fuel', type: 'i32', mutable: true },
        {
          ...from,
          kind: 'function',
          name: 'hs_init',
          as: 'init',
          params: ['i32', 'i32'],
          results: [],
        },
        { ...from, kind: 'table', name: 'plugind:check', as: 'check', element: 'funcref' },
        { ...from, kind: 'global', name: 'constant', as: 'constant', type: 'i64', mutable: false },
        {
          ...from,
          kind: 'function',
          name: 'many',
          as: 'many',
          params: ['i32', 'i64', 'f32', 'f64'],
          results: ['i64', 'i32'],
        },
      ],
      provider,
    );
    assert.equal(exports.run, provider.run);
    assert.equal(exports['plugind:guest-memory'], provider.memory);
    assert.equal(exports['plugind:_initialize'], provider._initialize);
    assert.equal(exports.fuel, provider['plugind:fuel']);
    assert.equal(exports.init, provider.hs_init);
    assert.equal(exports.check, provider['plugind:check']);
    assert.equal(exports.constant, provider.constant);
    assert.equal(exports.many, provider.many);
  });

  it('links nothing under a wrong type', () => {
    const provider = new WebAssembly.Instance(assemble(PROVIDER)).exports;
    assert.throws(
      () =>
        instantiate(
          [{ module: 'guest', kind: 'function', name: 'run', as: 'run', params: [], results: [] }],
          provider,
        ),
      WebAssembly.LinkError,
    );
  });

  it('takes hundreds of imports and names of any length and alphabet', () => {
    const names = Array.from({ length: 300 }, (_, index) => `${'ü😄'.repeat(index)}${index}`);
    const provider = Object.fromEntries(
      names.map((name) => [name, new WebAssembly.Global({ value: 'i32' }, name.length)]),
    );
    const exports = instantiate(
      names.map((name) => ({
        module: 'guest',
        kind: 'global',
        name,
        as: `${name}!`,
        type: 'i32',
        mutable: false,
      })),
      provider,
    );
    for (const name of names) assert.equal(exports[`${name}!`], provider[name]);
  });

  it('is an empty module without imports', () => {
    assert.deepEqual(WebAssembly.Module.exports(new WebAssembly.Module(encodeShim([]))), []);
  });
});
