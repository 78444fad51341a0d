/** Guarded code means what it meant: one module for each family of opcodes, plain and guarded. */
import { describe, it } from 'node:test';
import { compare } from './compare.ts';

describe('guarded code computes the same', () => {
  it('in integer and floating point arithmetic', () => {
    compare(
      `(module
        (func (export "i32") (param i32 i32) (result i32)
          (i32.xor (i32.rotl (i32.mul (local.get 0) (local.get 1)) (i32.const 7))
            (i32.div_s (local.get 0) (local.get 1))))
        (func (export "i64") (param i64 i64) (result i64)
          (i64.add (i64.rem_u (local.get 0) (local.get 1)) (i64.shr_s (local.get 0) (i64.const 3))))
        (func (export "f64") (param f64) (result f64)
          (f64.copysign (f64.sqrt (f64.nearest (local.get 0))) (f64.const -1)))
        (func (export "f32") (param f32) (result f32) (f32.min (local.get 0) (f32.const 0x1.8p+1)))
        (func (export "trunc") (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
        (func (export "extend") (param i32) (result i32) (i32.extend8_s (local.get 0)))
        (func (export "extend64") (param i64) (result i64) (i64.extend16_s (local.get 0)))
        (func (export "sat") (param f64) (result i32) (i32.trunc_sat_f64_u (local.get 0)))
        (func (export "bits") (param f64) (result i64) (i64.reinterpret_f64 (local.get 0))))`,
      [
        ['i32', 123456, 789],
        ['i32', 1, 0],
        ['i32', -2147483648, -1],
        ['i64', 987654321987n, 1234n],
        ['i64', 1n, 0n],
        ['f64', 17.4],
        ['f64', Number.NaN],
        ['f32', 9.75],
        ['trunc', 1e30],
        ['extend', 0xff],
        ['extend64', 0x1ffffn],
        ['sat', -5],
        ['sat', 1e30],
        ['bits', -0],
      ],
    );
  });

  it('in loops of every shape', () => {
    compare(
      `(module
        (global $g (export "g") (mut i32) (i32.const 0))
        (func (export "sum") (param $n i32) (result i32) (local $s i32)
          (loop $l
            (local.set $s (i32.add (local.get $s) (local.get $n)))
            (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
          (local.get $s))
        (func (export "params") (param $n i32) (result i32 i64) (local $p i64)
          (local.get $n) (i64.const 1)
          (loop $l (param i32 i64) (result i32 i64)
            (i64.mul (i64.const 3))
            (local.set $p)
            (local.tee $n (i32.sub (i32.const 1)))
            (local.get $p)
            (br_if $l (i32.gt_s (local.get $n) (i32.const 0)))))
        (func (export "nested") (param $n i32) (result i32) (local $i i32) (local $j i32) (local $s i32)
          (block $out
            (loop $a
              (local.set $j (i32.const 0))
              (loop $b
                (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 31)) (local.get $j)))
                (br_if $out (i32.gt_u (local.get $s) (i32.const 0xf0000000)))
                (local.set $j (i32.add (local.get $j) (i32.const 1)))
                (br_if $b (i32.lt_s (local.get $j) (local.get $i))))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br_if $a (i32.lt_s (local.get $i) (local.get $n)))))
          (local.get $s))
        (func (export "value_out") (param $n i32) (result i32)
          (block $out (result i32)
            (loop $a (result i32)
              (loop $b
                (drop (br_if $out (local.get $n) (i32.eqz (i32.rem_s (local.get $n) (i32.const 7)))))
                (global.set $g (i32.add (global.get $g) (i32.const 1)))
                (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                (br_if $b (i32.rem_s (local.get $n) (i32.const 3))))
              (br_if $a (i32.const 1) (i32.gt_s (local.get $n) (i32.const 0)))
              (drop) (i32.const 99))))
        (func (export "table") (param $n i32) (result i32) (local $s i32)
          (block $done
            (loop $a
              (loop $b
                (local.set $s (i32.add (local.get $s) (i32.const 1)))
                (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                (block $c
                  (br_table $c $b $a $done $b (i32.rem_u (local.get $n) (i32.const 5))))
                (local.set $s (i32.add (local.get $s) (i32.const 100))))
              (br_if $a (i32.gt_s (local.get $n) (i32.const 0)))))
          (local.get $s))
        (func (export "once") (param i32) (result i32)
          (loop (result i32) (local.get 0)))
        (func (export "returns") (param $n i32) (result i32)
          (loop $a (loop $b
            (if (i32.lt_s (local.get $n) (i32.const 10)) (then (return (local.get $n))))
            (local.set $n (i32.sub (local.get $n) (i32.const 2)))
            (br_if $b (i32.and (local.get $n) (i32.const 4))) (br $a)))
          (unreachable))
        (func (export "dead") (param $n i32) (result i32)
          (block $x (br $x) (loop $l (param i32) (br $l)) (loop $m (unreachable) (br_if $m)))
          (local.get $n)))`,
      [
        ['sum', 1000],
        ['params', 20],
        ['nested', 30],
        ['value_out', 40],
        ['value_out', 5],
        ['table', 13],
        ['table', 24],
        ['once', 5],
        ['returns', 100],
        ['dead', 3],
      ].map(([name, n]) => [name as string, n]),
    );
  });

  it('in calls: direct, through tables, recursive, tail calls, imports', () => {
    const imports = { env: { twice: (n: number) => n * 2 } };
    compare(
      `(module
        (type $t (func (param i32) (result i32)))
        (import "env" "twice" (func $twice (type $t)))
        (table 4 funcref)
        (elem (i32.const 0) $twice $small $fib)
        (func $small (type $t) (i32.add (local.get 0) (i32.const 1)))
        (func $over_small (type $t) (call $small (call $small (local.get 0))))
        (func $fib (export "fib") (type $t)
          (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
            (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
              (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
        (func (export "indirect") (param i32 i32) (result i32)
          (call_indirect (type $t) (local.get 1) (local.get 0)))
        (func $even (export "even") (type $t)
          (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
          (return_call $odd (i32.sub (local.get 0) (i32.const 1))))
        (func $odd (type $t)
          (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
          (return_call $even (i32.sub (local.get 0) (i32.const 1))))
        (func (export "tail_indirect") (param i32 i32) (result i32)
          (return_call_indirect (type $t) (local.get 1) (local.get 0)))
        (func (export "loop_of_calls") (param $n i32) (result i32) (local $s i32)
          (loop $l
            (local.set $s (i32.add (local.get $s) (call $over_small (local.get $n))))
            (local.set $s (call $twice (local.get $s)))
            (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
          (local.get $s))
        (func $deep (export "deep") (param i32) (result i32)
          (i32.add (i32.const 1) (call $deep (local.get 0)))))`,
      [
        ['fib', 15],
        ['indirect', 0, 21],
        ['indirect', 1, 21],
        ['indirect', 2, 10],
        ['indirect', 3, 1],
        ['indirect', 9, 1],
        ['even', 1001],
        ['tail_indirect', 2, 12],
        ['tail_indirect', 0, 12],
        ['loop_of_calls', 12],
        ['deep', 1],
      ],
      imports,
    );
  });

  it('in memory access and bulk memory operations', () => {
    compare(
      `(module
        (memory (export "memory") 40 64)
        (data $p "0123456789abcdef")
        (data (i32.const 16) "active")
        (func (export "store") (param i32 i64) (i64.store offset=4 align=1 (local.get 0) (local.get 1)))
        (func (export "load") (param i32) (result i32) (i32.load8_s offset=16 (local.get 0)))
        (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
        (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
        (func (export "init") (param i32 i32 i32) (memory.init $p (local.get 0) (local.get 1) (local.get 2)))
        (func (export "constants") (param i32)
          (memory.fill (local.get 0) (i32.const 7) (i32.const 100))
          (memory.copy (i32.add (local.get 0) (i32.const 50)) (local.get 0) (i32.const 100))
          (memory.init $p (local.get 0) (i32.const 1) (i32.const 15)))
        (func (export "pattern") (param $n i32)
          (loop $l
            (i32.store (i32.mul (local.get $n) (i32.const 4)) (i32.mul (local.get $n) (i32.const 2654435761)))
            (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "drop") (data.drop $p))
        (func (export "size") (result i32) (memory.size)))`,
      [
        ['store', 8, 0x1122334455667788n],
        ['load', 1],
        ['load', -8],
        ['pattern', 655_359],
        ['fill', 100, 5, 2000],
        ['fill', 100, 6, 0],
        ['fill', 70_000, 7, 2_300_000],
        ['fill', 2_621_440, 7, 0],
        ['fill', 2_621_441, 7, 0],
        ['fill', 2_621_400, 7, 41],
        ['fill', 1000, 7, 2_621_440],
        ['fill', 1, 7, -1],
        ['fill', -1, 7, -1],
        ['pattern', 655_359],
        ['copy', 10, 200_000, 2_300_000],
        ['copy', 200_000, 10, 2_300_000],
        ['copy', 1, 0, 2_621_439],
        ['copy', 0, 1, 2_621_439],
        ['copy', 500, 501, 1200],
        ['copy', 501, 500, 1200],
        ['copy', 0, 2_000_000, 700_000],
        ['copy', 2_000_000, 0, 700_000],
        ['copy', -5, -5, -5],
        ['init', 300, 2, 5],
        ['init', 300, 2, 50],
        ['constants', 1234],
        ['constants', 2_621_440],
        ['grow', 3],
        ['grow', 100],
        ['grow', -1],
        ['size'],
        ['drop'],
        ['init', 300, 0, 5],
        ['init', 300, 0, 0],
      ],
    );
  });

  it('in reference types and tables', () => {
    compare(
      `(module
        (type $v (func (result i32)))
        (table $f 5 20 funcref)
        (table $e 2 8 externref)
        (elem $seg func $one $two)
        (func $one (result i32) (i32.const 1))
        (func $two (result i32) (i32.const 2))
        (func (export "fill") (param i32 i32) (table.fill $f (local.get 0) (ref.func $two) (local.get 1)))
        (func (export "init") (param i32 i32) (table.init $f $seg (local.get 0) (i32.const 0) (local.get 1)))
        (func (export "copy") (param i32 i32 i32) (table.copy $f $f (local.get 0) (local.get 1) (local.get 2)))
        (func (export "grow") (param i32) (result i32) (table.grow $f (ref.null func) (local.get 0)))
        (func (export "size") (result i32) (table.size $f))
        (func (export "set") (param i32 externref) (table.set $e (local.get 0) (local.get 1)))
        (func (export "get") (param i32) (result externref) (table.get $e (local.get 0)))
        (func (export "pick") (param i32 externref externref) (result externref)
          (select (result externref) (local.get 1) (local.get 2) (local.get 0)))
        (func (export "null") (param externref) (result i32) (ref.is_null (local.get 0)))
        (func (export "drop") (elem.drop $seg))
        (func (export "call") (param i32) (result i32) (call_indirect $f (type $v) (local.get 0))))`,
      [
        ['call', 0],
        ['init', 1, 2],
        ['call', 1],
        ['call', 2],
        ['fill', 3, 2],
        ['fill', 3, 9],
        ['call', 4],
        ['copy', 0, 1, 3],
        ['copy', 0, 1, 30],
        ['call', 0],
        ['grow', 3],
        ['grow', 1_000_000],
        ['grow', -1],
        ['size'],
        ['set', 1, 'a value'],
        ['get', 1],
        ['get', 7],
        ['pick', 1, 'left', 'right'],
        ['null', null],
        ['drop'],
        ['init', 0, 1],
        ['init', 0, 0],
      ],
    );
  });

  it('in SIMD', () => {
    compare(
      `(module
        (memory (export "memory") 1)
        (data (i32.const 0) "The quick brown fox jumps over the lazy dog, then sleeps.")
        (func (export "sum") (param $n i32) (result i32) (local $v v128)
          (loop $l
            (local.set $v (i8x16.add (local.get $v)
              (i8x16.shuffle 1 0 3 2 5 4 7 6 9 8 11 10 13 12 31 16
                (v128.load offset=1 align=1 (local.get $n)) (v128.const i32x4 1 2 3 4))))
            (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
          (v128.store (i32.const 128) (local.get $v))
          (i32.add (i8x16.extract_lane_s 3 (local.get $v)) (i8x16.bitmask (local.get $v))))
        (func (export "lanes") (param i32 f64) (result f64)
          (v128.store64_lane offset=8 1 (local.get 0)
            (f64x2.replace_lane 1 (v128.load32_splat (local.get 0)) (local.get 1)))
          (f64x2.extract_lane 0 (f64x2.sqrt (f64x2.splat (local.get 1))))))`,
      [
        ['sum', 40],
        ['sum', 70_000],
        ['lanes', 64, 12.25],
      ],
    );
  });
});
