/** Small guests in WAT for the kernel's tests; each says what it does. */

/** Gives its input back, bytes copied through the guest's own memory. */
export const ECHO = `(module
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (memory (export "memory") 1)
  (func $echo (export "echo") (result i32)
    (local $i i64) (local $length i64) (local $out i64)
    (local.set $length (call $input_length))
    (local.set $out (call $alloc (local.get $length)))
    (block $done
      (loop $next
        (br_if $done (i64.ge_u (local.get $i) (local.get $length)))
        (i32.store8 (i32.const 0) (call $input_load_u8 (local.get $i)))
        (call $store_u8 (i64.add (local.get $out) (local.get $i)) (i32.load8_u (i32.const 0)))
        (local.set $i (i64.add (local.get $i) (i64.const 1)))
        (br $next)))
    (call $output_set (local.get $out) (local.get $length))
    (i32.const 0))
  (func (export "echo_void") (drop (call $echo))))`;

/** A library item: doubles the input into a block of its own and returns its address. */
export const DOUBLE_LIBRARY = `(module
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (func (export "double") (result i64)
    (local $i i64) (local $length i64) (local $out i64)
    (local.set $length (call $input_length))
    (local.set $out (call $alloc (i64.mul (local.get $length) (i64.const 2))))
    (loop $next
      (call $store_u8
        (i64.add (local.get $out) (local.get $i))
        (call $input_load_u8 (i64.rem_u (local.get $i) (local.get $length))))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $next (i64.lt_u (local.get $i) (i64.mul (local.get $length) (i64.const 2)))))
    (local.get $out)))`;

/** Uses the library above by the name of its item. */
export const DOUBLE_MAIN = `(module
  (import "library" "double" (func $double (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (func (export "run") (result i32)
    (local $block i64)
    (local.set $block (call $double))
    (call $output_set (local.get $block) (call $length (local.get $block)))
    (i32.const 0)))`;

/** Hands its input's block to the embedder's function `app.transform` and gives back what that returns. */
export const HOST_CALLER = `(module
  (import "app" "transform" (func $transform (param i64) (result i64)))
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (func (export "run") (result i32)
    (local $block i64)
    (local.set $block (call $transform (call $input_offset)))
    (call $output_set (local.get $block) (call $length (local.get $block)))
    (i32.const 0))
  ;; Swallows whatever is thrown at it, and says so.
  (func (export "run_swallowing") (result i32)
    (try (result i32)
      (do (drop (call $transform (call $input_offset))) (i32.const 0))
      (catch_all (i32.const 77)))))`;

/** Sets variables for ever, with the fuel check that the guard puts at each loop head. */
export const VAR_BOMB = `(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "var_set" (func $var_set (param i64 i64)))
  (global $fuel (export "plugind:fuel") (mut i32) (i32.const 0))
  (global $count (mut i64) (i64.const 0))
  (func (export "run") (result i32)
    (local $key i64)
    (loop $again
      (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))
      (if (i32.lt_s (global.get $fuel) (i32.const 0)) (then unreachable))
      (global.set $count (i64.add (global.get $count) (i64.const 1)))
      (local.set $key (call $alloc (i64.const 8)))
      (call $store_u64 (local.get $key) (global.get $count))
      (call $var_set (local.get $key) (call $alloc (i64.const 100)))
      (br $again))
    (i32.const 0))
  (func (export "idle") (result i32) (i32.const 0)))`;

/** Output is 16 bytes that WASI wrote into the guest's own memory. */
export const WASI_RANDOM = `(module
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (memory (export "memory") 1)
  (func (export "run") (result i32)
    (local $out i64)
    (if (call $random_get (i32.const 64) (i32.const 16)) (then unreachable))
    (local.set $out (call $alloc (i64.const 16)))
    (call $store_u64 (local.get $out) (i64.load (i32.const 64)))
    (call $store_u64 (i64.add (local.get $out) (i64.const 8)) (i64.load (i32.const 72)))
    (call $output_set (local.get $out) (i64.const 16))
    (i32.const 0)))`;
