;; plugind's kernel: the module a guest imports as `extism:host/env`. It owns input, output, error
;; text and the blocks of one call in a memory of its own; what needs the host (config, vars, HTTP,
;; log lines) is imported from `plugind:host` with plain numbers. kernel.ts is its JavaScript side
;; and knows the same addresses. scripts/build-kernel.js assembles this file together with
;; kernel-blocks.wat (allocator) and kernel-calls.wat (what passes on to the host) to one module.
;;
;; Memory (all offsets in bytes)
;;   0x000000  words shared with the host, see below
;;   0x000040  heads of the free lists, one for each power of two
;;   0x0000c0  ring of the blocks handed over last
;;   0x001000  block table, sorted by start: {start, length, state, next in free list or number of
;;             its hand-over}
;;   0x100000  heap: the blocks of this call, each at a multiple of 16
;; A guest's loads and stores reach [0x100000, 0x100000 + $used) and nothing else, so it can
;; neither read nor forge the table.
;;
;; Words: 0 status (1 error set, 2 bad output)  4 output pointer  8 output length
;;   12 error pointer  16 error length  20 heap bytes this call used at most  24 refused allocations
;;   written by the host: 28 largest heap in bytes  32 log level  36 status of the last HTTP response

(import "plugind:host" "config_get" (func $host_config_get (param i32 i32) (result i32)))
(import "plugind:host" "var_get" (func $host_var_get (param i32 i32) (result i32)))
(import "plugind:host" "var_set" (func $host_var_set (param i32 i32 i32 i32)))
(import "plugind:host" "http_request"
  (func $host_http_request (param i32 i32 i32 i32) (result i32)))
(import "plugind:host" "http_headers" (func $host_http_headers (result i32)))
(import "plugind:host" "log" (func $host_log (param i32 i32 i32)))
(import "plugind:host" "refused" (func $host_refused))
(import "plugind:host" "may_grow" (func $host_may_grow (param i32) (result i32)))

(memory (export "plugind:memory") 17)
;; Until the host says otherwise: 64 MiB of heap, every log line filtered out.
(data (i32.const 28) "\00\00\00\04\ff\ff\ff\7f")

(global $heap i32 (i32.const 0x100000))
(global $table i32 (i32.const 0x1000))
(global $heads i32 (i32.const 0x40))
(global $ring i32 (i32.const 0xc0))

;; Bytes of the heap that belong to this call, a multiple of 16.
(global $used (mut i64) (i64.const 0))
;; Heap offsets below this one have 8 bytes after them: $used - 7, or 0.
(global $used_u64 (mut i64) (i64.const 0))
(global $input_length (mut i64) (i64.const 0))
(global $input_u64 (mut i64) (i64.const 0))
(global $table_end (mut i32) (i32.const 0x1000))
(global $free_blocks (mut i32) (i32.const 0))
(global $handed_over (mut i32) (i32.const 0))
;; Whether free lists or ring hold something that the next call must not see.
(global $lists_dirty (mut i32) (i32.const 0))

;; ---- called by the host ----

;; Forgets and wipes the last call and makes room for an input, which the host then copies in.
;; Returns its pointer, 0 for an empty input, -1 when it is larger than the heap may be.
(func (export "plugind:begin") (param $length i32) (result i32)
  (local $pointer i32)
  (memory.fill (global.get $heap) (i32.const 0) (i32.load (i32.const 20)))
  (if (global.get $lists_dirty)
    (then
      (memory.fill (global.get $heads) (i32.const 0) (i32.const 384))
      (global.set $free_blocks (i32.const 0))
      (global.set $handed_over (i32.const 0))
      (global.set $lists_dirty (i32.const 0))))
  (i64.store (i32.const 0) (i64.const 0))
  (i64.store (i32.const 8) (i64.const 0))
  (i64.store (i32.const 16) (i64.const 0))
  (i32.store (i32.const 24) (i32.const 0))
  (i32.store (i32.const 36) (i32.const 0))
  (global.set $table_end (global.get $table))
  (global.set $used (i64.const 0))
  (global.set $used_u64 (i64.const 0))
  (call $set_input (i64.const 0))
  (if (i32.eqz (local.get $length)) (then (return (i32.const 0))))
  (local.set $pointer (call $allocate (i64.extend_i32_u (local.get $length))))
  (if (i32.eqz (local.get $pointer)) (then (return (i32.const -1))))
  (call $set_input (i64.extend_i32_u (local.get $length)))
  (local.get $pointer))

(func (export "plugind:alloc") (param $length i32) (result i32)
  (call $allocate (i64.extend_i32_u (local.get $length))))

(func (export "plugind:free") (param $pointer i32)
  (call $free (i64.extend_i32_u (local.get $pointer))))

;; Length of the block that begins there, 0 where none does.
(func (export "plugind:length") (param $pointer i32) (result i32)
  (i32.wrap_i64 (call $length (i64.extend_i32_u (local.get $pointer)))))

;; Sets the error as the guest would.
(func (export "plugind:error_set") (param $pointer i32)
  (call $error_set (i64.extend_i32_u (local.get $pointer))))

;; ---- input ----

(func (export "input_length") (result i64) (global.get $input_length))

;; The input is the call's first block.
(func (export "input_offset") (result i64)
  (select (i64.const 0x100000) (i64.const 0) (i64.ne (global.get $input_length) (i64.const 0))))

(func (export "input_load_u8") (param $offset i64) (result i32)
  (if (result i32) (i64.lt_u (local.get $offset) (global.get $input_length))
    (then (i32.load8_u offset=0x100000 (i32.wrap_i64 (local.get $offset))))
    (else (i32.const 0))))

(func (export "input_load_u64") (param $offset i64) (result i64)
  (if (result i64) (i64.lt_u (local.get $offset) (global.get $input_u64))
    (then (i64.load offset=0x100000 align=1 (i32.wrap_i64 (local.get $offset))))
    (else (i64.const 0))))

(func $set_input (param $length i64)
  (global.set $input_length (local.get $length))
  (global.set $input_u64 (call $room_for_u64 (local.get $length))))

;; ---- loads and stores: outside this call's blocks a load gives 0 and a store does nothing ----

(func (export "load_u8") (param $pointer i64) (result i32)
  (if (result i32)
    (i64.lt_u (i64.sub (local.get $pointer) (i64.const 0x100000)) (global.get $used))
    (then (i32.load8_u (i32.wrap_i64 (local.get $pointer))))
    (else (i32.const 0))))

(func (export "load_u64") (param $pointer i64) (result i64)
  (if (result i64)
    (i64.lt_u (i64.sub (local.get $pointer) (i64.const 0x100000)) (global.get $used_u64))
    (then (i64.load align=1 (i32.wrap_i64 (local.get $pointer))))
    (else (i64.const 0))))

(func (export "store_u8") (param $pointer i64) (param $value i32)
  (if (i64.lt_u (i64.sub (local.get $pointer) (i64.const 0x100000)) (global.get $used))
    (then (i32.store8 (i32.wrap_i64 (local.get $pointer)) (local.get $value)))))

(func (export "store_u64") (param $pointer i64) (param $value i64)
  (if (i64.lt_u (i64.sub (local.get $pointer) (i64.const 0x100000)) (global.get $used_u64))
    (then (i64.store align=1 (i32.wrap_i64 (local.get $pointer)) (local.get $value)))))

;; ---- output and error ----

;; The range must lie within one block; what does not is recorded as bad output.
(func (export "output_set") (param $pointer i64) (param $length i64)
  (local $block i32) (local $offset i32)
  (i32.store (i32.const 0) (i32.and (i32.load (i32.const 0)) (i32.const -3)))
  (i64.store align=4 (i32.const 4) (i64.const 0))
  (if (i64.eqz (local.get $length)) (then (return)))
  (local.set $block (call $find_around (local.get $pointer)))
  (if (local.get $block)
    (then
      (local.set $offset
        (i32.sub (i32.wrap_i64 (local.get $pointer)) (i32.load (local.get $block))))
      (if
        (i32.and
          (i64.le_u (local.get $length) (i64.load32_u offset=4 (local.get $block)))
          (i64.le_u
            (i64.add (i64.extend_i32_u (local.get $offset)) (local.get $length))
            (i64.load32_u offset=4 (local.get $block))))
        (then
          (i64.store32 (i32.const 4) (local.get $pointer))
          (i64.store32 (i32.const 8) (local.get $length))
          (return)))))
  (i32.store (i32.const 0) (i32.or (i32.load (i32.const 0)) (i32.const 2))))

;; 0 takes an error back. A pointer to no block is an error without text.
(func $error_set (export "error_set") (param $pointer i64)
  (local $block i32)
  (i64.store align=4 (i32.const 12) (i64.const 0))
  (if (i64.eqz (local.get $pointer))
    (then
      (i32.store (i32.const 0) (i32.and (i32.load (i32.const 0)) (i32.const -2)))
      (return)))
  (i32.store (i32.const 0) (i32.or (i32.load (i32.const 0)) (i32.const 1)))
  (local.set $block (call $find (local.get $pointer)))
  (if (local.get $block)
    (then
      (i32.store (i32.const 12) (i32.load (local.get $block)))
      (i32.store (i32.const 16) (i32.load offset=4 (local.get $block))))))

(func (export "error_get") (result i64) (i64.load32_u (i32.const 12)))
