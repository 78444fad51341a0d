;; One branch table that leaves three loops, repeats each of them, and falls through.
(module
  (func (export "run") (result i32) (local $n i32) (local $sum i32)
    (block $out
      (loop $a
        (local.set $sum (i32.add (local.get $sum) (i32.const 1)))
        (loop $b
          (local.set $sum (i32.add (local.get $sum) (i32.const 10)))
          (block $fall
            (loop $c
              (local.set $n (i32.add (local.get $n) (i32.const 1)))
              (br_if $out (i32.gt_u (local.get $n) (i32.const 200)))
              (br_table $a $b $c $fall $b $a $fall (i32.rem_u (local.get $n) (i32.const 7)))))
          (br_if $b (i32.and (local.get $n) (i32.const 1)))
          (br $a))))
    (local.get $sum)))
