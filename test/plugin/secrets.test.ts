/** What one call leaves behind, the next one must not find: kernel memory always, its own in `fresh`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPlugin } from '../../src/plugin/create-plugin.ts';
import { shortOrLong } from '../helpers/long-form.ts';
import { assembleGuest } from '../helpers/wat.ts';

const CALLS = shortOrLong(2000, 100_000);
const SECRET = 'the secret of the call before';

/**
 * `write` keeps its input in the kernel's memory, in its own memory, in a page it never used before,
 * and in a global. `read` looks at everything it can reach and answers with the number
 * of places that are not as they were after initialisation.
 */
const SPY = `
  (memory 4)
  (global $kept (mut i64) (i64.const 0))
  (func (export "write") (result i32) (local $n i64) (local $at i64) (local $block i64)
    (local.set $n (call $input_length))
    (local.set $block (call $alloc (i64.const 4096)))
    (loop $again
      (call $store_u8 (i64.add (local.get $block) (local.get $at)) (call $input_load_u8 (local.get $at)))
      (i32.store8 (i32.wrap_i64 (local.get $at)) (call $input_load_u8 (local.get $at)))
      (i32.store8 (i32.add (i32.const 200000) (i32.wrap_i64 (local.get $at))) (i32.const 83))
      (local.set $at (i64.add (local.get $at) (i64.const 1)))
      (br_if $again (i64.lt_u (local.get $at) (local.get $n))))
    (global.set $kept (i64.const 83))
    (call $output_set (local.get $block) (local.get $n))
    (i32.const 0))
  (func (export "read_kernel") (result i32) (local $found i64) (local $at i64) (local $block i64)
    (local.set $block (call $alloc (i64.const 16384)))
    (loop $again
      (if (i64.ne (call $load_u64 (i64.add (local.get $block) (local.get $at))) (i64.const 0))
        (then (local.set $found (i64.add (local.get $found) (i64.const 1)))))
      (local.set $at (i64.add (local.get $at) (i64.const 8)))
      (br_if $again (i64.lt_u (local.get $at) (i64.const 16384))))
    (call $answer (local.get $found)))
  (func (export "read_own") (result i32) (local $found i64) (local $at i32)
    (loop $again
      (if (i64.ne (i64.load (local.get $at)) (i64.const 0))
        (then (local.set $found (i64.add (local.get $found) (i64.const 1)))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $again (i32.lt_u (local.get $at) (i32.const 262144))))
    (call $answer (i64.add (local.get $found) (global.get $kept))))
  (func $answer (param $found i64) (result i32) (local $out i64)
    (local.set $out (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $out) (local.get $found))
    (call $output_set (local.get $out) (i64.const 8))
    (i32.const 0))`;
const IMPORTS = [
  'input_length',
  'input_load_u8',
  'alloc',
  'store_u8',
  'store_u64',
  'load_u64',
  'output_set',
];

describe('the next call', () => {
  it('finds nothing of the last one in the kernel', async () => {
    const plugin = await createPlugin({ wasm: await assembleGuest(IMPORTS, SPY) });
    for (let call = 0; call < CALLS; call++) {
      assert.equal((await plugin.call('write', `${SECRET} ${call}`)).text(), `${SECRET} ${call}`);
      assert.equal((await plugin.call('read_kernel')).getBigUint64(0, true), 0n);
    }
    await plugin.close();
  });

  it('finds nothing of the last one in its own memory and globals with fresh isolation', async () => {
    const wasm = await assembleGuest(IMPORTS, SPY);
    const plugin = await createPlugin({ wasm, isolation: 'fresh' });
    for (let call = 0; call < CALLS; call++) {
      await plugin.call('write', SECRET);
      assert.equal((await plugin.call('read_own')).getBigUint64(0, true), 0n);
    }
    await plugin.close();
  });

  it('finds its own state with shared isolation, as Extism has it', async () => {
    const plugin = await createPlugin({ wasm: await assembleGuest(IMPORTS, SPY) });
    await plugin.call('write', SECRET);
    assert.notEqual((await plugin.call('read_own')).getBigUint64(0, true), 0n);
    await plugin.close();
  });
});
