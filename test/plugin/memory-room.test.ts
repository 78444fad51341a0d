/** `memory.maxPages` bounds the guests' memories and the kernel's heap together, whoever grows first. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PluginConfig } from '../../src/config/types.ts';
import { compilePlugin } from '../../src/plugin/compile-plugin.ts';
import type { PluginInstance } from '../../src/plugin/compiled-plugin.ts';
import { QUIET_ENVIRONMENT } from '../../src/worker/create-plugins.ts';
import { loadFile } from '../config/fixture.ts';
import { assemble, assembleGuest, guestText } from '../helpers/wat.ts';
import { assemble as assembleAny } from './guard/assemble.ts';

const MAX_PAGES = 100;
const PAGE_BYTES = 65_536;
/** Of the kernel's memory, for its own tables: not a plugin's. */
const TABLE_PAGES = 16;

const OTHER = `(module (memory 1)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "size") (result i32) (memory.size)))`;

/** Each function takes what it can get; `sizes` gives the pages of both items' memories. */
const MAIN = `
  (import "other" "grow" (func $other_grow (param i32) (result i32)))
  (import "other" "size" (func $other_size (result i32)))
  (memory 1)
  (func $own (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))))
  (func $other (loop $more (br_if $more (i32.ne (call $other_grow (i32.const 1)) (i32.const -1)))))
  (func $kernel (loop $more (br_if $more (i64.ne (call $alloc (i64.const 65536)) (i64.const 0)))))
  (func $sizes (export "sizes") (result i32) (local $at i64)
    (local.set $at (call $alloc (i64.const 16)))
    (call $store_u64 (local.get $at) (i64.extend_i32_u (memory.size)))
    (call $store_u64 (i64.add (local.get $at) (i64.const 8)) (i64.extend_i32_u (call $other_size)))
    (call $output_set (local.get $at) (i64.const 16))
    (i32.const 0))
  (func (export "kernelFirst") (result i32) (call $kernel) (call $own) (unreachable))
  (func (export "guestFirst") (result i32) (call $own) (call $kernel) (unreachable))
  (func (export "otherFirst") (result i32) (call $other) (call $own) (call $kernel) (unreachable))
  (func (export "inTurns") (result i32)
    (loop $more
      (drop (call $alloc (i64.const 200000)))
      (drop (call $other_grow (i32.const 2)))
      (br_if $more (i32.ne (memory.grow (i32.const 3)) (i32.const -1))))
    (call $other) (call $kernel) (unreachable))
  (func (export "half") (result i32) (call $other_grow (i32.const 40)) (i32.const 0) (i32.lt_s))
  (func (export "bear") (result i32)
    (drop (memory.grow (i32.const 70)))
    (call $sizes))
  (func (export "huge") (result i32)
    (if (i32.ne (memory.grow (i32.const -1)) (i32.const -1)) (then (return (i32.const 1))))
    (i32.ne (call $other_grow (i32.const 0)) (i32.const 1)))`;

describe('the memory of one instance', () => {
  for (const execution of ['inline', 'thread'] as const) {
    for (const name of ['kernelFirst', 'guestFirst', 'otherFirst', 'inTurns']) {
      it(`stays within the limit and is used up: ${name}, ${execution}`, async () => {
        const compiled = await compilePlugin(await greedy(execution), QUIET_ENVIRONMENT);
        for (let round = 0; round < 2; round++) {
          const instance = await compiled.instantiate();
          assert.deepEqual(await sizes(instance), [1, 1]);
          assert.equal(held(instance), 3);
          await assert.rejects(call(instance, name), {
            code: 'PLUGIN_LIMIT',
            details: { limit: 'memory.maxPages', maxPages: MAX_PAGES },
          });
          assert.equal(held(instance), MAX_PAGES);
          assert.ok(instance.isPoisoned);
          await instance.close();
        }
        await compiled.close();
      });
    }
  }

  it('counts every item', async () => {
    await withInstance(async (instance) => {
      await call(instance, 'half');
      assert.equal(instance.guestPages, 42);
      assert.deepEqual(await sizes(instance), [1, 41]);
      assert.equal(held(instance), 43);
    });
  });

  it('has no room for 4 GiB, and is asked for nothing by a growth of nothing', async () => {
    await withInstance(async (instance) => {
      await call(instance, 'huge');
      assert.equal(held(instance), 3);
    });
  });

  it('is given up where a call could not have what earlier ones took', async () => {
    await withInstance(async (instance) => {
      await call(instance, 'half');
      assert.equal(instance.isPoisoned, false);
      assert.deepEqual(pagesIn(await call(instance, 'bear')), [1, 41]);
      assert.equal(instance.isPoisoned, true);
    });
    await withInstance(async (instance) => {
      assert.deepEqual(pagesIn(await call(instance, 'bear')), [71, 1]);
      assert.equal(instance.isPoisoned, false);
    });
  });

  it('is refused at load where the items together leave none for inputs and outputs', async () => {
    const load = async (maxPages: number): Promise<void> => {
      const plugin = await greedy('inline');
      const memory = { ...plugin.memory, maxPages };
      await (await compilePlugin({ ...plugin, memory }, QUIET_ENVIRONMENT)).close();
    };
    await load(3);
    await assert.rejects(load(2), {
      code: 'PLUGIN_COMPILE_FAILED',
      details: { value: 3, limit: 2 },
    });
  });
});

/** Grows its memory and the others' as far as they go, then the kernel's; gives the pages it got. */
const UNGUARDED = `
  (import "other" "grow" (func $other_grow (param i32) (result i32)))
  (import "other" "size" (func $other_size (result i32)))
  (import "shared" "grow" (func $shared_grow (param i32) (result i32)))
  (import "shared" "size" (func $shared_size (result i32)))
  (memory 1 MAXIMUM shared)
  (global $kernel (mut i32) (i32.const 0))
  (func (export "grow") (result i32) (local $at i64)
    (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (loop $more (br_if $more (i32.ne (call $other_grow (i32.const 1)) (i32.const -1))))
    (loop $more (br_if $more (i32.ne (call $shared_grow (i32.const 1)) (i32.const -1))))
    (local.set $at (call $alloc (i64.const 24)))
    (call $store_u64 (local.get $at) (i64.extend_i32_u (memory.size)))
    (call $store_u64 (i64.add (local.get $at) (i64.const 8)) (i64.extend_i32_u (call $other_size)))
    (call $store_u64 (i64.add (local.get $at) (i64.const 16)) (i64.extend_i32_u (call $shared_size)))
    (call $output_set (local.get $at) (i64.const 24))
    (loop $more
      (global.set $kernel (i32.add (global.get $kernel) (i32.const 1)))
      (br_if $more (i64.ne (call $alloc (i64.const 65536)) (i64.const 0))))
    (i32.const 0))`;

const SHARED = OTHER.replace('(memory 1)', '(memory 1 100 shared)');

describe('the memory of an instance with unguarded modules', () => {
  // Seen failing with each module clamped by itself: 100 pages each, and the kernel as many.
  for (const maximum of [100, 3]) {
    it(`stays within the limit all together, a declared maximum of ${maximum} included`, async () => {
      const compiled = await compilePlugin(await unguarded(MAX_PAGES, maximum), QUIET_ENVIRONMENT);
      const instance = await compiled.instantiate();
      const sizes = pagesIn(await call(instance, 'grow'), 3);
      const heap = held(instance) - instance.guestPages;
      const all = sizes.reduce((sum, pages) => sum + pages, heap);
      assert.ok(all <= MAX_PAGES && all > MAX_PAGES * 0.9, `${sizes} and ${heap} pages`);
      for (const pages of sizes) assert.ok(pages > 1 && pages <= 17, `${sizes}`);
      assert.ok(heap > 40);
      await instance.close();
      await compiled.close();
    });
  }

  it('is refused at load where there is none for inputs and outputs', async () => {
    await (await compilePlugin(await unguarded(4, 100), QUIET_ENVIRONMENT)).close();
    await assert.rejects(
      unguarded(3, 100).then((plugin) => compilePlugin(plugin, QUIET_ENVIRONMENT)),
      {
        code: 'PLUGIN_COMPILE_FAILED',
        details: { value: 4, limit: 3 },
      },
    );
  });
});

async function unguarded(maxPages: number, maximum: number): Promise<PluginConfig> {
  const main = UNGUARDED.replace('MAXIMUM', String(maximum));
  const imports = ['alloc', 'store_u64', 'output_set'] as const;
  const wasm = [
    { name: 'other', data: base64(await assemble(OTHER)) },
    { name: 'shared', data: base64(assembleAny(SHARED)) },
    { name: 'main', data: base64(assembleAny(guestText(imports, main))) },
  ];
  const config = loadFile({
    plugins: { p: { manifest: { wasm }, execution: 'thread', memory: { maxPages } } },
    routes: [{ path: '/', plugin: 'p', function: 'grow' }],
  });
  return config.plugins[0] as PluginConfig;
}

async function greedy(execution: 'inline' | 'thread'): Promise<PluginConfig> {
  const main = await assembleGuest(['alloc', 'store_u64', 'output_set'], MAIN);
  const wasm = [
    { name: 'other', data: base64(await assemble(OTHER)) },
    { name: 'main', data: base64(main) },
  ];
  const config = loadFile({
    plugins: { p: { manifest: { wasm }, execution, memory: { maxPages: MAX_PAGES } } },
    routes: [{ path: '/', plugin: 'p', function: 'sizes' }],
  });
  return config.plugins[0] as PluginConfig;
}

async function withInstance(use: (instance: PluginInstance) => Promise<void>): Promise<void> {
  const compiled = await compilePlugin(await greedy('inline'), QUIET_ENVIRONMENT);
  const instance = await compiled.instantiate();
  await use(instance);
  await instance.close();
  await compiled.close();
}

async function call(instance: PluginInstance, name: string): Promise<Uint8Array> {
  return instance.call(name, new Uint8Array(0));
}

async function sizes(instance: PluginInstance): Promise<number[]> {
  return pagesIn(await call(instance, 'sizes'));
}

function pagesIn(output: Uint8Array, count = 2): number[] {
  const view = new DataView(output.buffer, output.byteOffset);
  return Array.from({ length: count }, (_, index) => index * 8).map((at) =>
    Number(view.getBigUint64(at, true)),
  );
}

/** What counts, in pages. */
function held(instance: PluginInstance): number {
  return instance.memoryBytes / PAGE_BYTES - TABLE_PAGES;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
