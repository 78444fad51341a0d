/**
 * An instance that trapped is laid back to the state after its initialisation where that is all there
 * is to it, and replaced where it is not. To callers both are the same.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { PLUGIN_DEFAULTS } from '../../src/config/defaults.ts';
import type { PluginConfig } from '../../src/config/types.ts';
import { createPlugin } from '../../src/plugin/create-plugin.ts';
import { assemble, guestText } from '../helpers/wat.ts';
import { itemsOf, type Watched, withWatched } from './fixture.ts';
import { CAN_LIST_DESCRIPTORS, createDirectory, openIn } from './wasi/test-guest.ts';

/**
 * `state` answers in a byte each with a global, a word of its memory, its pages, a word of the second
 * page and whether a variable is there. Every other function spoils all of them before it ends.
 */
const IMPORTS = ['alloc', 'store_u8', 'output_set', 'var_get', 'var_set'];
const GUEST = `(memory 1)
  (data (i32.const 8) "\\05")
  (global $number (mut i32) (i32.const 3))
  (func $name (result i64) (local $block i64)
    (local.set $block (call $alloc (i64.const 1)))
    (call $store_u8 (local.get $block) (i32.const 118))
    (local.get $block))
  (func $put (param $at i64) (param $byte i32)
    (call $store_u8 (local.get $at) (local.get $byte)))
  (func $second (result i32)
    (if (i32.lt_u (memory.size) (i32.const 2)) (then (return (i32.const 0))))
    (i32.load8_u (i32.const 70000)))
  (func (export "state") (result i32) (local $block i64)
    (local.set $block (call $alloc (i64.const 5)))
    (call $put (local.get $block) (global.get $number))
    (call $put (i64.add (local.get $block) (i64.const 1)) (i32.load8_u (i32.const 8)))
    (call $put (i64.add (local.get $block) (i64.const 2)) (memory.size))
    (call $put (i64.add (local.get $block) (i64.const 3)) (call $second))
    (call $put (i64.add (local.get $block) (i64.const 4)) (i64.ne (call $var_get (call $name)) (i64.const 0)))
    (call $output_set (local.get $block) (i64.const 5))
    (i32.const 0))
  (func $spoil
    (global.set $number (i32.const 77))
    (drop (memory.grow (i32.const 1)))
    (i32.store8 (i32.const 8) (i32.const 77))
    (i32.store8 (i32.const 70000) (i32.const 77))
    (call $var_set (call $name) (call $name)))
  (func (export "spoil") (result i32) (call $spoil) (i32.const 0))
  (func (export "trap") (result i32) (call $spoil) (unreachable))
  (func (export "bounds") (result i32) (call $spoil) (i32.load (i32.const -1)))
  (func (export "forever") (result i32) (call $spoil) (loop $l (br $l)) (unreachable))
  (func (export "outside") (result i32) (call $spoil) (call $output_set (i64.const 1) (i64.const 99)) (i32.const 0))
  (func (export "most") (result i32)
    (call $spoil)
    (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (unreachable))
  (func $down (param i32) (result i32) (i32.add (call $down (local.get 0)) (i32.const 1)))
  (func (export "recurse") (result i32) (call $spoil) (call $down (i32.const 0)))`;

const guest = await assemble(guestText(IMPORTS, GUEST));
const source = itemsOf({ main: guest });
const AS_MADE = [3, 5, 1, 0, 0];
const SPOILT = [77, 77, 2, 77, 1];
/** For the one call that does not end by itself. */
const TIMEOUT_MS = 50;

const state = async ({ call }: Watched): Promise<number[]> => [...Buffer.from(await call('state'))];

function withGuest(
  plugin: Partial<PluginConfig>,
  use: (watched: Watched) => Promise<void>,
): Promise<void> {
  return withWatched({ source, timeoutMs: 30_000, ...plugin }, {}, use);
}

describe('an instance that trapped', () => {
  it('keeps what a call left that did not', async () => {
    await withGuest({}, async (watched) => {
      await watched.call('spoil');
      assert.deepEqual(await state(watched), SPOILT);
      assert.deepEqual(watched.replacements, []);
    });
  });

  for (const [name, code, made] of [
    ['trap', 'PLUGIN_TRAPPED', 0],
    ['bounds', 'PLUGIN_TRAPPED', 0],
    ['forever', 'CALL_DEADLINE', 0],
    ['outside', 'PLUGIN_BAD_OUTPUT', 0],
    // The end of the stack may have come amid the host's own work.
    ['recurse', 'PLUGIN_TRAPPED', 1],
    // The memory cannot be given back in any other way.
    ['most', 'PLUGIN_LIMIT', 1],
  ] as const) {
    it(`starts anew, with ${made} instances made for it: ${name}`, async () => {
      await withGuest(name === 'forever' ? { timeoutMs: TIMEOUT_MS } : {}, async (watched) => {
        for (let round = 1; round <= 3; round++) {
          assert.equal(await watched.call(name), code);
          assert.deepEqual(await state(watched), AS_MADE);
          assert.equal(watched.instantiations(), made * round);
          assert.equal(watched.replacements.length, round);
        }
        assert.equal(watched.replacements[0], 'poisoned');
      });
    });
  }

  it('is another one where memory and globals are not all of its state', async () => {
    const body = GUEST.replace(
      '(call $spoil) (unreachable)',
      '(call $spoil) (elem.drop 0) (unreachable)',
    );
    const main = await assemble(guestText(IMPORTS, `${body} (elem func $down)`));
    await withGuest({ source: itemsOf({ main }) }, async (watched) => {
      assert.equal(await watched.call('trap'), 'PLUGIN_TRAPPED');
      assert.deepEqual(await state(watched), AS_MADE);
      assert.equal(watched.instantiations(), 1);
    });
  });

  it("is another one where a host function's work was broken off", async () => {
    const file = path.join(createDirectory(), 'host.mjs');
    writeFileSync(file, 'export const host = { fail() { throw new Error("no") } };');
    const main = await assemble(
      `(module (import "host" "fail" (func $fail))
        (func (export "run") (result i32) (call $fail) (i32.const 0))
        (func (export "ok") (result i32) (i32.const 0)))`,
    );
    await withGuest({ source: itemsOf({ main }), hostFunctions: file }, async (watched) => {
      assert.equal(await watched.call('run'), 'INTERNAL');
      assert.equal(await watched.call('ok'), '');
      assert.equal(watched.instantiations(), 1);
    });
  });

  it('is another one where its memory is large', async () => {
    const memory = { ...PLUGIN_DEFAULTS.memory, maxPages: 600 };
    for (const [pages, made] of [
      [500, 0],
      [501, 1],
    ] as const) {
      const main = await assemble(
        guestText(IMPORTS, GUEST.replace('(memory 1)', `(memory ${pages})`)),
      );
      await withGuest({ source: itemsOf({ main }), memory }, async (watched) => {
        assert.equal(await watched.call('trap'), 'PLUGIN_TRAPPED');
        assert.equal(watched.instantiations(), made);
      });
    }
  });

  it('is told of in a thread too', async () => {
    for (const fresh of [null, 'restore'] as const) {
      await withWatched({ source, execution: 'thread' }, { fresh }, async (watched) => {
        await watched.call('state');
        assert.equal(await watched.call('trap'), 'PLUGIN_TRAPPED');
        assert.deepEqual(await state(watched), AS_MADE);
        assert.deepEqual(watched.replacements, ['poisoned']);
      });
    }
  });
});

/** `stat` fails where descriptor 3 is not there; `trap` opens two, writes half a line, and closes two of what it was given. */
const FILES = `
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) ".....half a line")
  (func $open
    (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 2)
          (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 128))
      (then unreachable)))
  (func $say
    (i32.store (i32.const 64) (i32.const 5))
    (i32.store (i32.const 68) (i32.const 11))
    (drop (call $write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 128))))
  (func (export "stat") (result i32) (call $prestat (i32.const 3) (i32.const 128)))
  (func (export "trap") (result i32)
    (call $open) (call $open) (call $say)
    (drop (call $close (i32.const 3))) (drop (call $close (i32.const 1)))
    (unreachable))`;

describe("the files of a guest's that trapped", () => {
  const watchFiles = async (
    body: string,
    use: (watched: Watched, directory: string) => Promise<void>,
  ): Promise<void> => {
    const directory = createDirectory();
    const main = await assemble(`(module ${body})`);
    const allowedPaths = { [directory]: '/' };
    const plugin = { source: itemsOf({ main }), wasi: true, allowedPaths };
    await withWatched(plugin, {}, (watched) => use(watched, directory));
  };

  it('are closed, and what it closed is there again', async () => {
    await watchFiles(FILES, async (watched, directory) => {
      for (let round = 0; round < 3; round++) {
        assert.equal(await watched.call('trap'), 'PLUGIN_TRAPPED');
        // Its directory alone.
        if (CAN_LIST_DESCRIPTORS) assert.equal(openIn(directory).length, 1);
        assert.equal(await watched.call('stat'), '');
      }
      assert.equal(watched.instantiations(), 0);
    });
  });

  it('are opened by another instance where its initialisation did', async () => {
    const body = `${FILES} (func (export "_initialize") (call $open))`;
    await watchFiles(body, async (watched, directory) => {
      assert.equal(await watched.call('trap'), 'PLUGIN_TRAPPED');
      assert.equal(await watched.call('stat'), '');
      assert.equal(watched.instantiations(), 1);
      if (CAN_LIST_DESCRIPTORS) assert.equal(openIn(directory).length, 2);
    });
  });

  it('get the last line that it began', async () => {
    const lines: string[] = [];
    const directory = createDirectory();
    const plugin = await createPlugin({
      wasm: await assemble(`(module ${FILES})`),
      wasi: true,
      allowedPaths: { [directory]: '/' },
      onGuestLine: ({ message }) => lines.push(message),
    });
    await assert.rejects(plugin.call('trap'));
    assert.deepEqual(lines, ['half a line']);
    await plugin.close();
  });
});
