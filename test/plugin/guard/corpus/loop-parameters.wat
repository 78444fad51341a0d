;; Loops that have their values on the stack at their head, one in another, left from the inside.
(module
  (type $pair (func (param i32 i64) (result i32 i64)))
  (func (export "run") (param i32) (result i32 i64)
    (local $n i32)
    (local.get 0) (i64.const 3)
    (loop $outer (type $pair)
      (i64.const 2) (i64.mul)
      (loop $inner (param i64) (result i64)
        (i64.const 1) (i64.add)
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $inner (i32.lt_u (i32.rem_u (local.get $n) (i32.const 5)) (i32.const 4))))
      (br_if $outer (i32.lt_u (local.get $n) (i32.const 40))))))
