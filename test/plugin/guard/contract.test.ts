/** What the host is told about a module, and what of it the host finds under other names. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { guardModule } from '../../../src/plugin/guard/guard.ts';
import { assemble } from './assemble.ts';
import { instantiate, OPTIONS } from './guarded-instance.ts';

describe('the description of a guarded module', () => {
  it('lists functions with their types, and imports', () => {
    const { guarded } = instantiate(
      `(module
        (import "env" "log" (func (param i64 i64)))
        (import "env" "g" (global i32))
        (import "env" "size" (func (result i32)))
        (func (export "run") (result i32) (i32.const 0))
        (func (export "mix") (param f32 externref) (result v128 funcref)
          (v128.const i32x4 0 0 0 0) (ref.null func))
        (memory 1))`,
      { imports: { env: { log: () => {}, g: 1, size: () => 0 } } },
    );
    assert.deepEqual(guarded.functions, [
      { name: 'run', exportName: 'run', params: [], results: ['i32'] },
      {
        name: 'mix',
        exportName: 'mix',
        params: ['f32', 'externref'],
        results: ['v128', 'funcref'],
      },
    ]);
    assert.deepEqual(guarded.imports, [
      {
        module: 'env',
        name: 'log',
        kind: 'function',
        type: { params: ['i64', 'i64'], results: [] },
      },
      { module: 'env', name: 'g', kind: 'global', type: null },
      { module: 'env', name: 'size', kind: 'function', type: { params: [], results: ['i32'] } },
    ]);
    assert.deepEqual(guarded.memory, { imported: false, minPages: 1, maxPages: 1024 });
    assert.equal(guarded.hasStart, false);
  });

  it('names an import that is exported again by its own type', () => {
    const { guarded } = instantiate(
      '(module (import "e" "f" (func $f (param i32))) (export "again" (func $f)))',
      { imports: { e: { f: () => {} } } },
    );
    assert.deepEqual(guarded.functions[0]?.params, ['i32']);
  });

  it('is that of an empty module too', () => {
    const { guarded, exports } = instantiate('(module)');
    assert.deepEqual(guarded.functions, []);
    assert.equal(guarded.memory, null);
    assert.deepEqual(Object.keys(exports).sort(), ['plugind:check', 'plugind:fuel']);
  });
});

describe('functions that would run by themselves', () => {
  it('are renamed, whether the host or the module would have run them', () => {
    const guest = instantiate(`(module
      (global $n (export "n") (mut i32) (i32.const 0))
      (func $s (global.set $n (i32.const 1)))
      (start $s)
      (func (export "_start")) (func (export "_initialize")) (func (export "hs_init") (param i32 i32))
      (func (export "__wasm_call_ctors")) (func (export "main")))`);
    assert.deepEqual(
      guest.guarded.functions.map(({ name, exportName }) => [name, exportName]),
      [
        ['_start', 'plugind:_start'],
        ['_initialize', 'plugind:_initialize'],
        ['hs_init', 'plugind:hs_init'],
        ['__wasm_call_ctors', 'plugind:__wasm_call_ctors'],
        ['main', 'main'],
      ],
    );
    assert.equal(guest.exports._start, undefined);
    const n = guest.exports.n as WebAssembly.Global<number>;
    assert.equal(n.value, 0);
    guest.call('plugind:start');
    assert.equal(n.value, 1);
    guest.call('plugind:_start');
  });

  it('keep their name if they are no functions', () => {
    const guest = instantiate('(module (global (export "_start") i32 (i32.const 7)))');
    assert.equal((guest.exports._start as WebAssembly.Global<number>).value, 7);
  });

  it('may be imports, for a start function', () => {
    let started = 0;
    const imports = {
      e: {
        f: () => {
          started += 1;
        },
      },
    };
    const guest = instantiate('(module (import "e" "f" (func $f)) (start $f))', { imports });
    assert.equal(started, 0);
    guest.call('plugind:start');
    assert.equal(started, 1);
  });
});

describe('snapshots', () => {
  const snapshotOf = (wat: string) => guardModule(assemble(wat), OPTIONS).snapshot;

  it('hold memory and numeric globals, which are exported by index', () => {
    const guest = instantiate(`(module (memory 1)
      (global i32 (i32.const 1)) (global $a (mut i64) (i64.const 5)) (global $b (mut f64) (f64.const 2))
      (func (export "run") (global.set $a (i64.const 9)) (memory.fill (i32.const 0) (i32.const 1) (i32.const 9))))`);
    assert.deepEqual(guest.guarded.snapshot, { restorable: true, reasons: [] });
    assert.deepEqual(guest.guarded.globals, [
      { name: 'plugind:g1', type: 'i64' },
      { name: 'plugind:g2', type: 'f64' },
    ]);
    guest.call('run');
    const a = guest.exports['plugind:g1'] as WebAssembly.Global<bigint>;
    assert.equal(a.value, 9n);
    a.value = 5n;
    assert.equal(a.value, 5n);
  });

  it('are told to export no globals', () => {
    const guarded = guardModule(assemble('(module (global (mut i32) (i32.const 1)))'), {
      ...OPTIONS,
      snapshot: null,
    });
    assert.deepEqual(guarded.globals, []);
  });

  const NOT_HELD: Record<string, string> = {
    'table.set': '(table 1 externref) (func (table.set 0 (i32.const 0) (ref.null extern)))',
    'table.grow': '(table 1 funcref) (func (drop (table.grow 0 (ref.null func) (i32.const 1))))',
    'table.fill':
      '(table 1 funcref) (func (table.fill 0 (i32.const 0) (ref.null func) (i32.const 1)))',
    'table.copy':
      '(table 1 funcref) (func (table.copy 0 0 (i32.const 0) (i32.const 0) (i32.const 1)))',
    'table.init':
      '(table 1 funcref) (elem $e func 0) (func (table.init 0 $e (i32.const 0) (i32.const 0) (i32.const 1)))',
    'elem.drop': '(elem $e func 0) (func (elem.drop $e))',
    'data.drop': '(memory 1) (data $d "x") (func (data.drop $d))',
    'mutable v128': '(global (mut v128) (v128.const i32x4 0 0 0 0))',
    'mutable externref': '(global (mut externref) (ref.null extern))',
    'imports a mutable global': '(import "e" "g" (global (mut i32)))',
    'imports its memory': '(import "e" "m" (memory 1))',
    '1001 mutable globals': '(global (mut i32) (i32.const 0))'.repeat(1001),
  };
  for (const [reason, wat] of Object.entries(NOT_HELD)) {
    it(`do not hold the state of a module with: ${reason}`, () => {
      const { restorable, reasons } = snapshotOf(`(module ${wat})`);
      assert.equal(restorable, false);
      assert.ok(reasons.join('; ').includes(reason), reasons.join('; '));
    });
  }

  it('hold it if segments are only read', () => {
    const wat = `(module (memory 1) (data $d "xyz") (table 2 funcref) (elem (i32.const 0) func 0)
      (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 3)) (drop (table.get 0 (i32.const 0)))
        (drop (table.size 0))))`;
    assert.equal(snapshotOf(wat).restorable, true);
  });
});

describe('custom sections', () => {
  it('are dropped but for the names, which stack traces show', () => {
    const wat = '(module (func $recognisable (export "f") (unreachable)))';
    const url = [10, ...new TextEncoder().encode('sourceMapx')];
    const bytes = Uint8Array.of(...assemble(wat), 0, url.length, ...url);
    const guarded = guardModule(bytes, OPTIONS);
    assert.equal(WebAssembly.Module.customSections(guarded.module, 'sourceMapx').length, 0);
    assert.equal(WebAssembly.Module.customSections(guarded.module, 'name').length, 1);
    const guest = instantiate(bytes);
    assert.throws(
      () => guest.call('f'),
      (error: Error) => String(error.stack).includes('recognisable'),
    );
  });

  it('may be broken name sections', () => {
    const bytes = Uint8Array.of(
      ...assemble('(module)'),
      0,
      8,
      4,
      0x6e,
      0x61,
      0x6d,
      0x65,
      1,
      99,
      200,
    );
    guardModule(bytes, OPTIONS);
  });
});

describe('names', () => {
  it('come through as they are, byte order mark and all', () => {
    const name = '\uFEFFgrüße 🦀';
    const escaped = Buffer.from(name).toString('hex').replace(/../g, '\\$&');
    const guest = instantiate(`(module (func (export "${escaped}")))`);
    assert.equal(guest.guarded.functions[0]?.name, name);
    guest.call(name);
  });
});
