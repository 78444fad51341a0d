;; Code that is never reached, with loops, calls and bulk operations on a stack of any type.
(module
  (memory 1)
  (func $f (param i32) (result i32) (local.get 0))
  (func (export "after_unreachable") (result i32)
    (block $b
      (br $b)
      (loop $l (unreachable) (br_if $l) (memory.fill) (br $l)))
    (i32.const 1))
  (func (export "after_return") (result i32)
    (return (i32.const 2))
    (loop $l (result i32) (br $l) (call $f) (drop) (br_if $l (i32.eqz)) (i32.const 3)))
  (func (export "trap") (result i32) (unreachable) (call $f) (memory.copy) (i32.const 4)))
