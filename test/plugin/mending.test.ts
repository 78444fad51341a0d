/**
 * An instance that trapped is laid back to the state after its initialisation where that is all there
 * is to it, and replaced where it is not. To callers both are the same.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { PluginConfig } from '../../src/config/types.ts';
import { createPlugin } from '../../src/plugin/create-plugin.ts';
import { assemble, guestText } from '../helpers/wat.ts';
import { itemsOf, type Watched, withWatched } from './fixture.ts';
import { CAN_LIST_DESCRIPTORS, createDirectory, openIn } from './wasi/test-guest.ts';

/**
 * `state` answers in a byte each with a global, two words of its memory, its pages and whether a variable is
 * there. Every other function spoils all but the pages before it ends.
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
  (func (export "state") (result i32) (local $block i64)
    (local.set $block (call $alloc (i64.const 5)))
    (call $put (local.get $block) (global.get $number))
    (call $put (i64.add (local.get $block) (i64.const 1)) (i32.load8_u (i32.const 8)))
    (call $put (i64.add (local.get $block) (i64.const 2)) (i32.load8_u (i32.const 60000)))
    (call $put (i64.add (local.get $block) (i64.const 3)) (memory.size))
    (call $put (i64.add (local.get $block) (i64.const 4)) (i64.ne (call $var_get (call $name)) (i64.const 0)))
    (call $output_set (local.get $block) (i64.const 5))
    (i32.const 0))
  (func $spoil
    (global.set $number (i32.const 77))
    (i32.store8 (i32.const 8) (i32.const 77))
    (i32.store8 (i32.const 60000) (i32.const 77))
    (call $var_set (call $name) (call $name)))
  (func (export "spoil") (result i32) (call $spoil) (i32.const 0))
  (func (export "trap") (result i32) (call $spoil) (unreachable))
  (func (export "bounds") (result i32) (call $spoil) (i32.load (i32.const -1)))
  (func (export "forever") (result i32) (call $spoil) (loop $l (br $l)) (unreachable))
  (func (export "outside") (result i32) (call $spoil) (call $output_set (i64.const 1) (i64.const 99)) (i32.const 0))
  (func (export "grown") (result i32) (call $spoil) (drop (memory.grow (i32.const 1))) (unreachable))
  (func (export "filled") (result i32)
    (call $spoil) (drop (call $alloc (i64.const 65537))) (unreachable))
  (func (export "most") (result i32)
    (call $spoil)
    (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (unreachable))
  (func $down (param i32) (result i32) (i32.add (call $down (local.get 0)) (i32.const 1)))
  (func (export "recurse") (result i32) (call $spoil) (call $down (i32.const 0)))`;

const guest = await assemble(guestText(IMPORTS, GUEST));
const source = itemsOf({ main: guest });
const AS_MADE = [3, 5, 0, 1, 0];
const SPOILT = [77, 77, 77, 1, 1];
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
    // Memory cannot be given back in any other way.
    ['grown', 'PLUGIN_TRAPPED', 1],
    ['filled', 'PLUGIN_TRAPPED', 1],
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

  it('is another one where host functions may know it', async () => {
    const file = path.join(createDirectory(), 'host.mjs');
    writeFileSync(file, 'export const host = { note() {} };');
    const main = await assemble(
      `(module (import "host" "note" (func $note))
        (func (export "run") (result i32) (call $note) (unreachable))
        (func (export "ok") (result i32) (i32.const 0)))`,
    );
    await withGuest({ source: itemsOf({ main }), hostFunctions: file }, async (watched) => {
      assert.equal(await watched.call('run'), 'PLUGIN_TRAPPED');
      assert.equal(await watched.call('ok'), '');
      assert.equal(watched.instantiations(), 1);
    });
  });

  it('is another one where its memory is large', async () => {
    for (const [pages, made] of [
      [32, 0],
      [33, 1],
    ] as const) {
      const main = await assemble(
        guestText(IMPORTS, GUEST.replace('(memory 1)', `(memory ${pages})`)),
      );
      await withGuest({ source: itemsOf({ main }) }, async (watched) => {
        assert.equal(await watched.call('trap'), 'PLUGIN_TRAPPED');
        assert.equal(watched.instantiations(), made);
      });
    }
  });

  it('is told of in a thread too', async () => {
    for (const fresh of [null, 'restore'] as const) {
      const isolation = fresh === null ? 'shared' : 'fresh';
      const plugin = { source, isolation, execution: 'thread' } as const;
      await withWatched(plugin, { fresh }, async (watched) => {
        await watched.call('state');
        assert.equal(await watched.call('trap'), 'PLUGIN_TRAPPED');
        assert.deepEqual(await state(watched), AS_MADE);
        assert.deepEqual(watched.replacements, ['poisoned']);
      });
    }
  });
});

/** What initialisation did beside computing is done for each instance, drawing at random above all. */
describe('an initialisation', () => {
  const INITIALISER = '(func (export "_initialize") (call $begin))';
  for (const [name, imports, body] of [
    [
      'that draws at random',
      '(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))',
      '(drop (call $random (i32.const 0) (i32.const 8)))',
    ],
    [
      'that sets a variable',
      '(import "extism:host/env" "alloc" (func $alloc (param i64) (result i64))) (import "extism:host/env" "var_set" (func $var_set (param i64 i64)))',
      '(call $var_set (call $alloc (i64.const 1)) (call $alloc (i64.const 1)))',
    ],
    ['that computes', '', '(i32.store (i32.const 0) (i32.const 1))'],
  ] as const) {
    const made = imports === '' ? 0 : 1;
    it(`${name} runs ${made} times more for one that trapped`, async () => {
      const main = await assemble(
        `(module ${imports} (memory (export "memory") 1)
          (func $begin ${body}) ${INITIALISER}
          (func (export "ok") (result i32) (i32.const 0))
          (func (export "trap") (result i32) (unreachable)))`,
      );
      await withGuest({ source: itemsOf({ main }), wasi: true }, async (watched) => {
        assert.equal(await watched.call('trap'), 'PLUGIN_TRAPPED');
        assert.equal(await watched.call('ok'), '');
        assert.equal(watched.instantiations(), made);
      });
    });
  }
});

/** `trap` opens its directory twice, writes half a line, and closes two of what it was given; `stat` asks for its directory. */
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
      for (let round = 1; round <= 3; round++) {
        assert.equal(await watched.call('trap'), 'PLUGIN_TRAPPED');
        assert.equal(await watched.call('stat'), '');
        assert.equal(watched.instantiations(), round);
        if (CAN_LIST_DESCRIPTORS) assert.deepEqual(openIn(directory), []);
      }
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
