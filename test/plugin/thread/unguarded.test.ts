/** What the guard cannot cover runs in a thread, if it is asked to, within what still bounds it there. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import binaryen from 'binaryen';
import { clampModule } from '../../../src/plugin/guard/clamp-module.ts';
import { guardModule } from '../../../src/plugin/guard/guard.ts';
import { itWhere } from '../../helpers/engine.ts';
import { servePlugin } from '../fixture.ts';
import { assemble as assembleAny } from '../guard/assemble.ts';
import { createThreaded } from './guests.ts';

const EXCEPTIONS = `(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (memory 1)
  (global $started (mut i32) (i32.const 0))
  (func $start (global.set $started (i32.const 65)))
  (start $start)
  (tag $t)
  (func (export "caught") (result i32) (local $out i64)
    (local.set $out (call $alloc (i64.const 1)))
    (try (do (throw $t)) (catch $t (call $store_u8 (local.get $out) (global.get $started))))
    (call $output_set (local.get $out) (i64.const 1))
    (i32.const 0))
  (func (export "loop") (result i32) (loop $again (br $again)) (i32.const 0))
  (func (export "swallow") (result i32)
    (loop $again (try (do (call $alloc (i64.const 8)) (drop)) (catch_all)) (br $again)) (i32.const 0))
  (func (export "grow") (result i32)
    (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (if (i32.ne (memory.size) (i32.const 20)) (then unreachable))
    (i32.const 0)))`;

const ATOMICS = `(module
  (memory 1 2 shared)
  (func (export "add") (result i32)
    (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
    (i32.sub (i32.atomic.load (i32.const 0)) (i32.const 1))))`;

/** Gives the number of tables that grew. */
const TABLES = `(module
  (memory 1 2 shared)
  (table $a 1 funcref) (table $b 1 externref) (table $c 1 externref) (table $d 1 externref)
  (func (export "little") (result i32)
    (i32.ne (i32.const 1) (table.grow $b (ref.null extern) (i32.const 1000))))
  (func (export "grow") (result i32)
    (i32.add
      (i32.add
        (i32.ne (i32.const -1) (table.grow $a (ref.null func) (i32.const 9999990)))
        (i32.ne (i32.const -1) (table.grow $b (ref.null extern) (i32.const 9999990))))
      (i32.add
        (i32.ne (i32.const -1) (table.grow $c (ref.null extern) (i32.const 9999990)))
        (i32.ne (i32.const -1) (table.grow $d (ref.null extern) (i32.const 9999990)))))))`;

/** Keeps a list of objects that grows by so many; more than a heap of 100 MiB holds is 600,000. */
function collectedList(): Uint8Array {
  const module = binaryen.parseText(`(module
    (type $s (struct (field (ref null $s)) ${'(field i64)'.repeat(20)}))
    (global $head (mut (ref null $s)) (ref.null $s))
    (func $keep (param $left i32) (result i32)
      (loop $more
        (global.set $head (struct.new $s (global.get $head) ${'(i64.const 7)'.repeat(20)}))
        (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (i32.const 0))
    (func (export "few") (result i32) (call $keep (i32.const 100)))
    (func (export "many") (result i32) (call $keep (i32.const 600000))))`);
  module.setFeatures(binaryen.Features.All);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

describe('a plugin that the guard cannot cover', () => {
  it('runs in a thread: its start function, its exceptions, its code', async (t) => {
    const plugin = await createThreaded(t, { wasm: assembleAny(EXCEPTIONS) });
    for (let round = 0; round < 3; round++) {
      assert.equal((await plugin.call('caught')).text(), 'A');
    }
  });

  it('ends at its deadline with its thread, though it swallows what it can', async (t) => {
    const plugin = await createThreaded(t, { wasm: assembleAny(EXCEPTIONS), timeoutMs: 250 });
    for (const name of ['loop', 'swallow', 'loop']) {
      const startedAt = performance.now();
      await assert.rejects(plugin.call(name), { code: 'CALL_DEADLINE' });
      assert.ok(performance.now() - startedAt < 3000);
      assert.equal((await plugin.call('caught')).text(), 'A');
    }
  });

  // Seen failing without the clamp: memory grew to 65,536 pages.
  it('gets no more memory than its half of what there is', async (t) => {
    const wasm = assembleAny(EXCEPTIONS);
    const plugin = await createThreaded(t, { wasm, memory: { maxPages: 40 } });
    assert.equal((await plugin.call('grow')).byteLength, 0);
  });

  // Seen failing without the clamp: V8 ended the whole process.
  it('gets no more elements in its tables than they may have', async (t) => {
    const plugin = await createThreaded(t, { wasm: assembleAny(TABLES) });
    assert.equal((await plugin.call('little')).byteLength, 0);
    assert.equal((await plugin.call('grow')).byteLength, 0);
  });

  // Seen failing with V8's own young generation: Node ended the whole process, most times.
  const list = collectedList();
  itWhere(WebAssembly.validate(Uint8Array.from(list)))(
    'ends with its thread alone when its objects are more than its heap holds',
    async (t) => {
      const plugin = await createThreaded(t, {
        wasm: list,
        timeoutMs: 20_000,
        memory: { maxPages: 64 },
      });
      for (let round = 0; round < 3; round++) {
        await assert.rejects(plugin.call('many'), { code: 'PLUGIN_LIMIT' });
        assert.equal((await plugin.call('few')).byteLength, 0);
      }
    },
  );

  it('may share its memory and use atomics', async (t) => {
    const plugin = await createThreaded(t, { wasm: assembleAny(ATOMICS) });
    assert.equal((await plugin.call('add')).byteLength, 0);
    await assert.rejects(plugin.call('add'), { code: 'PLUGIN_ERROR', details: { exitCode: 1 } });
  });

  it('is refused inline, with the offer of a thread, and named by check', async () => {
    const data = Buffer.from(assembleAny(EXCEPTIONS)).toString('base64');
    const plugin = { manifest: { wasm: [{ data }] } };
    await assert.rejects(servePlugin(plugin, ['caught']), {
      code: 'PLUGIN_COMPILE_FAILED',
      details: { feature: 'try', proposal: 'exception handling', execution: 'thread' },
    });
    const served = await servePlugin({ ...plugin, execution: 'thread' }, ['caught']);
    await served.close();
    assert.equal(served.description.execution, 'thread');
    assert.match(served.fields.find(({ field }) => field === 'guard of main')?.value ?? '', /try/);
  });
});

describe('clamping without the guard', () => {
  const OPTIONS = { label: 'test.wasm', maxMemoryPages: 10, maxTableElements: 100 };
  const UNGUARDED = { feature: 'try', proposal: 'exception handling' };
  const module = (...parts: number[][]): Uint8Array =>
    Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...parts.flat());

  it('refuses a memory that starts over the limit', () => {
    assert.throws(() => clampModule(assembleAny('(module (memory 11))'), OPTIONS, UNGUARDED), {
      code: 'PLUGIN_COMPILE_FAILED',
      details: { value: 11, limit: 10 },
    });
  });

  const twoMemories = module([5, 5, 2, 0, 1, 0, 1]);
  itWhere(WebAssembly.validate(twoMemories))('lets several memories share what there is', () => {
    const { bytes: clamped } = clampModule(twoMemories, OPTIONS, UNGUARDED);
    assert.deepEqual([...clamped.subarray(8)], [5, 7, 2, 1, 1, 5, 1, 1, 5]);
  });

  it('lets several tables share what there is, and keeps a maximum that is less', () => {
    const tables = module([4, 11, 3, 0x70, 0, 1, 0x6f, 0, 6, 0x6f, 1, 2, 3]);
    const { bytes: clamped } = clampModule(tables, OPTIONS, UNGUARDED);
    assert.deepEqual(
      [...clamped.subarray(8)],
      [4, 13, 3, 0x70, 1, 1, 31, 0x6f, 1, 6, 36, 0x6f, 1, 2, 3],
    );
  });

  it('refuses tables that start over the limit, and one with an initial value', () => {
    assert.throws(
      () => clampModule(module([4, 7, 2, 0x70, 0, 50, 0x70, 0, 51]), OPTIONS, UNGUARDED),
      { code: 'PLUGIN_COMPILE_FAILED', details: { value: 101, limit: 100 } },
    );
    const initial = module([4, 9, 1, 0x40, 0, 0x70, 0, 1, 0xd0, 0x70, 0x0b]);
    assert.throws(() => clampModule(initial, OPTIONS, UNGUARDED), /initial value/);
  });

  it('refuses arrays, of which one can end the process', () => {
    for (const types of [
      [1, 4, 1, 0x5e, 0x7e, 1],
      [1, 8, 1, 0x4e, 1, 0x50, 0, 0x5e, 0x7e, 1],
    ]) {
      assert.throws(() => clampModule(module(types), OPTIONS, UNGUARDED), {
        code: 'PLUGIN_COMPILE_FAILED',
        details: { feature: 'an array type', proposal: 'garbage collection' },
      });
    }
  });

  // A group of a struct and another of it; then a function of it, and one of plain values.
  const types = [
    [1, 20, 3, 0x4e, 2, 0x5f, 1, 0x7f, 1, 0x50, 0, 0x5f, 1, 0x63, 0, 1],
    [0x60, 1, 0x63, 0, 0, 0x60, 0, 1, 0x7f],
  ].flat();
  types[1] = types.length - 2;
  const collected = module(
    types,
    [3, 3, 2, 2, 3],
    [7, 9, 2, 1, 0x61, 0, 0, 1, 0x62, 0, 1],
    [10, 9, 2, 2, 0, 0x0b, 4, 0, 0x41, 5, 0x0b],
  );
  itWhere(WebAssembly.validate(collected))(
    'reads over types of every proposal, and gives names to those that can be linked',
    () => {
      const { functions } = clampModule(collected, OPTIONS, UNGUARDED);
      assert.deepEqual(functions, [{ name: 'b', exportName: 'b', params: [], results: ['i32'] }]);
    },
  );

  it('keeps the names of the engine for the engine', () => {
    for (const wat of [
      '(module (func (export "plugind:memory")))',
      '(module (import "plugind:host" "refuel" (func)))',
    ]) {
      assert.throws(() => clampModule(assembleAny(wat), OPTIONS, UNGUARDED), /reserved/);
    }
  });

  it('gives a module back that says the same, where the guard would do', () => {
    const wat =
      '(module (memory (export "memory") 1) (func $s) (start $s) (func (export "_start")) (func (export "f") (result i32) (i32.const 3)))';
    const guard = { ...OPTIONS, snapshot: null };
    const guarded = guardModule(assembleAny(wat), guard);
    const clamped = clampModule(assembleAny(wat), OPTIONS, UNGUARDED);
    assert.deepEqual(clamped.functions, guarded.functions);
    assert.deepEqual(clamped.memory, guarded.memory);
    assert.equal(clamped.hasStart, guarded.hasStart);
  });
});
