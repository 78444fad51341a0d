;; Vector instructions with immediates of every shape, in a loop.
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "0123456789abcdef0123456789abcdef")
  (global $acc (mut v128) (v128.const i64x2 1 2))
  (func (export "run") (result i64) (local $n i32) (local $v v128)
    (loop $again
      (local.set $v (v128.load offset=3 align=1 (local.get $n)))
      (local.set $v (i8x16.shuffle 0 31 2 29 4 27 6 25 8 23 10 21 12 19 14 17
        (local.get $v) (global.get $acc)))
      (global.set $acc (i16x8.add (local.get $v) (i16x8.replace_lane 7 (global.get $acc) (local.get $n))))
      (v128.store8_lane offset=64 5 (local.get $n) (global.get $acc))
      (global.set $acc (v128.load32_lane offset=1 2 (local.get $n) (global.get $acc)))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $n) (i32.const 50))))
    (i64x2.extract_lane 1 (global.get $acc))))
