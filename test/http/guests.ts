/** Tiny plugins with one function `run`, as inline Extism manifests. */
import createWabt from 'wabt';

const wabt = await createWabt();

/** Always the same output. */
export function constantGuest(output: Uint8Array): unknown {
  const data = [...output].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  return manifest(`(module
    ${IMPORTS}
    (memory (export "memory") 1)
    (data (i32.const 0) "${data}")
    (func (export "run") (result i32)
      (local $at i64) (local $out i64)
      (local.set $out (call $alloc (i64.const ${output.length})))
      (block $done
        (loop $next
          (br_if $done (i64.ge_u (local.get $at) (i64.const ${output.length})))
          (call $store_u8
            (i64.add (local.get $out) (local.get $at))
            (i32.load8_u (i32.wrap_i64 (local.get $at))))
          (local.set $at (i64.add (local.get $at) (i64.const 1)))
          (br $next)))
      (call $output_set (local.get $out) (i64.const ${output.length}))
      (i32.const 0)))`);
}

/** Reports its input as an error: with `errorBody: "plugin"` a client sees what a guest is given. */
export function inputAsErrorGuest(): unknown {
  return manifest(`(module
    ${IMPORTS}
    (memory (export "memory") 1)
    (func (export "run") (result i32)
      (local $at i64) (local $out i64)
      (local.set $out (call $alloc (call $input_length)))
      (loop $next
        (call $store_u8
          (i64.add (local.get $out) (local.get $at))
          (call $input_load_u8 (local.get $at)))
        (local.set $at (i64.add (local.get $at) (i64.const 1)))
        (br_if $next (i64.lt_u (local.get $at) (call $input_length))))
      (call $error_set (local.get $out))
      (i32.const 1)))`);
}

const IMPORTS = `
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))`;

function manifest(wat: string): unknown {
  const parsed = wabt.parseWat('guest.wat', wat);
  try {
    const { buffer } = parsed.toBinary({});
    return { wasm: [{ name: 'main', data: Buffer.from(buffer).toString('base64') }] };
  } finally {
    parsed.destroy();
  }
}
