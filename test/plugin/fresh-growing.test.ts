/** In `fresh`, an instance whose memory grew is laid back like any other, as long as there is room. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { PLUGIN_DEFAULTS } from '../../src/config/defaults.ts';
import type { PluginConfig } from '../../src/config/types.ts';
import { assemble, guestText } from '../helpers/wat.ts';
import { itemsOf, type Watched, withWatched } from './fixture.ts';

const PAGE_BYTES = 65_536;
const MAX_PAGES = 64;
const KERNEL_PAGES = 1;

/**
 * `grow` takes as many pages as its input has bytes, looks for what is not zero in its memory and fills
 * all of it; it answers in a byte each with its pages before and after and whether it found something.
 * `peek` looks through as many pages as its input has bytes, past its size. `most` takes what it can get.
 */
const GUEST = `(memory 1)
  (func $dirt (param $pages i32) (result i32) (local $at i32)
    (loop $more
      (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (return (i32.const 1))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $more (i32.lt_u (local.get $at) (i32.shl (local.get $pages) (i32.const 16)))))
    (i32.const 0))
  (func $answer (param i32 i32 i32) (result i32) (local $block i64)
    (local.set $block (call $alloc (i64.const 3)))
    (call $store_u8 (local.get $block) (local.get 0))
    (call $store_u8 (i64.add (local.get $block) (i64.const 1)) (local.get 1))
    (call $store_u8 (i64.add (local.get $block) (i64.const 2)) (local.get 2))
    (call $output_set (local.get $block) (i64.const 3))
    (i32.const 0))
  (func (export "grow") (result i32)
    (memory.grow (i32.wrap_i64 (call $input_length)))
    (memory.size)
    (call $dirt (memory.size))
    (memory.fill (i32.const 0) (i32.const 83) (i32.shl (memory.size) (i32.const 16)))
    (call $answer))
  (func (export "peek") (result i32)
    (call $answer (memory.size) (memory.size) (call $dirt (i32.wrap_i64 (call $input_length)))))
  (func (export "most") (result i32)
    (memory.size)
    (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (call $answer (memory.size) (i32.const 0)))`;

const guest = await assemble(guestText(['alloc', 'store_u8', 'input_length', 'output_set'], GUEST));

/** What the guest answered. */
const bytes = (output: string): number[] => [...Buffer.from(output)];

const source = itemsOf({ main: guest });

interface Fresh extends Watched {
  memoryPages(): number;
}

/** Served by restoring, whatever would take less time here. */
function withRestored(
  plugin: Pick<PluginConfig, 'source'> & Partial<PluginConfig>,
  use: (fresh: Fresh) => Promise<void>,
): Promise<void> {
  const memory = { ...PLUGIN_DEFAULTS.memory, maxPages: MAX_PAGES };
  const config = { isolation: 'fresh', memory, ...plugin } as const;
  return withWatched(config, { fresh: 'restore' }, (watched) =>
    use({
      ...watched,
      // The kernel's own tables are 16 pages more.
      memoryPages: () => watched.served.memoryBytes() / PAGE_BYTES - 16,
    }),
  );
}

describe('a plugin whose memory grows in each call', () => {
  for (const execution of ['inline', 'thread'] as const) {
    it(`is restored, and each call finds the same: ${execution}`, async () => {
      await withRestored({ source, execution }, async (fresh) => {
        for (let round = 0; round < 20; round++) {
          assert.deepEqual(bytes(await fresh.call('grow', 'x')), [1, 2, 0]);
          assert.deepEqual(bytes(await fresh.call('grow', 'xxx')), [1, 4, 0]);
          assert.deepEqual(bytes(await fresh.call('peek', 'xxxx')), [1, 1, 0]);
        }
        assert.deepEqual(fresh.replacements, []);
        assert.equal(fresh.memoryPages(), 4 + KERNEL_PAGES);
      });
    });
  }

  it('is replaced where it took more than an eighth of the limit, whenever it took it', async () => {
    await withRestored({ source }, async (fresh) => {
      await fresh.call('grow', 'x'.repeat(8));
      assert.deepEqual(fresh.replacements, []);
      assert.deepEqual(bytes(await fresh.call('grow', 'x'.repeat(9))), [1, 10, 0]);
      assert.deepEqual(fresh.replacements, ['grown']);
      assert.deepEqual(bytes(await fresh.call('grow', 'x')), [1, 2, 0]);
      assert.equal(fresh.memoryPages(), 2 + KERNEL_PAGES);
      assert.deepEqual(fresh.replacements, ['grown']);
    });
  });

  it('is replaced once it was zeroed too often for what one call took', async () => {
    await withRestored({ source }, async (fresh) => {
      for (let count = 0; count < 100; count++) await fresh.call('grow', 'x'.repeat(8));
      assert.deepEqual(fresh.replacements, []);
      for (let count = 0; count < 71; count++) await fresh.call('grow', 'x');
      assert.deepEqual(fresh.replacements, []);
      assert.equal(fresh.memoryPages(), 9 + KERNEL_PAGES);
      for (let count = 0; count < 100; count++) await fresh.call('grow', 'x');
      assert.deepEqual(fresh.replacements, ['grown']);
      assert.equal(fresh.memoryPages(), 2 + KERNEL_PAGES);
    });
  });

  it('gets as much as a new instance, and all of it counts', async () => {
    await withRestored({ source }, async (fresh) => {
      const most = [1, MAX_PAGES - KERNEL_PAGES, 0];
      assert.deepEqual(bytes(await fresh.call('most')), most);
      assert.equal(fresh.replacements.length, 1);
      assert.deepEqual(bytes(await fresh.call('grow', 'xxx')), [1, 4, 0]);
      assert.equal(fresh.replacements.length, 1);
      assert.deepEqual(bytes(await fresh.call('most')), most);
      assert.equal(fresh.replacements.length, 2);
    });
  });

  it('is the one in Rust, whose allocator grows it', async () => {
    const file = path.join(import.meta.dirname, '../../examples/hello-rust/hello-rust.wasm');
    const { memory } = PLUGIN_DEFAULTS;
    await withRestored({ source: { kind: 'wasm', path: file }, memory }, async (fresh) => {
      const before = fresh.memoryPages();
      const answer = await fresh.call('hello', 'Bob');
      const grown = fresh.memoryPages();
      assert.ok(grown > before, `${before} pages, then ${grown}`);
      for (let round = 0; round < 20; round++) {
        assert.equal(await fresh.call('hello', 'Bob'), answer);
      }
      assert.equal(fresh.memoryPages(), grown);
      assert.deepEqual(fresh.replacements, []);
    });
  });

  it('of several modules goes by the one size that all of them see', async () => {
    const other = await assemble(`(module (memory (export "memory") 1 20)
      (func (export "size") (result i32) (memory.size))
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))`);
    const main = await assemble(`(module
      (import "other" "memory" (memory 1))
      (import "other" "size" (func $size (result i32)))
      (import "other" "grow" (func $grow (param i32) (result i32)))
      (func (export "disagree") (result i32)
        (drop (memory.grow (i32.const 2)))
        (drop (call $grow (i32.const 3)))
        (i32.or (i32.ne (memory.size) (i32.const 6)) (i32.ne (call $size) (i32.const 6)))))`);
    await withRestored({ source: itemsOf({ other, main }) }, async (fresh) => {
      for (let round = 0; round < 3; round++) assert.equal(await fresh.call('disagree'), '');
    });
  });
});
