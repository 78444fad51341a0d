/** Small guests in WAT for the tests of whole plugins, as inline Extism manifests. */
import createWabt from 'wabt';

const wabt = await createWabt();

export function assembleManifest(wat: string): { wasm: { name: string; data: string }[] } {
  const parsed = wabt.parseWat('guest.wat', wat);
  try {
    const { buffer } = parsed.toBinary({});
    return { wasm: [{ name: 'main', data: Buffer.from(buffer).toString('base64') }] };
  } finally {
    parsed.destroy();
  }
}

/** `mark` sets a global, `read` says whether it is set, `trap` sets it and traps, `fail` reports an error. */
export const STATEFUL = `(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
  (memory (export "memory") 1)
  (global $mark (mut i32) (i32.const 48))
  (func $text (param $byte i32) (result i64)
    (local $block i64)
    (local.set $block (call $alloc (i64.const 1)))
    (call $store_u8 (local.get $block) (local.get $byte))
    (local.get $block))
  (func (export "mark") (result i32)
    (global.set $mark (i32.const 49))
    (i32.const 0))
  (func (export "read") (result i32)
    (call $output_set (call $text (global.get $mark)) (i64.const 1))
    (i32.const 0))
  (func (export "trap") (result i32)
    (global.set $mark (i32.const 49))
    (unreachable))
  (func (export "fail") (result i32)
    (call $error_set (call $text (i32.const 33)))
    (i32.const 1)))`;
