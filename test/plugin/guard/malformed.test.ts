/**
 * Any bytes at all give a guarded module that V8 takes, or a clear refusal: never a defect of ours
 * (INTERNAL), a TypeError, or a hang. Seeded; PLUGIND_FUZZ_SEED and PLUGIND_FUZZ_ROUNDS change it.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServerError } from '../../../src/errors.ts';
import { guardModule } from '../../../src/plugin/guard/guard.ts';
import { assemble } from './assemble.ts';
import { OPTIONS } from './guarded-instance.ts';
import { Random } from './random.ts';
import { realModules } from './real-modules.ts';

const SEED = Number(process.env.PLUGIND_FUZZ_SEED ?? 20_261_123);
const ROUNDS = Number(process.env.PLUGIND_FUZZ_ROUNDS ?? 6000);

/** Every section and most kinds of immediates. */
const RICH = assemble(`(module
  (type $t (func (param i32) (result i32)))
  (type $pair (func (param i32 i64) (result i64 i32)))
  (import "env" "host" (func $host (type $t)))
  (import "env" "base" (global $base i32))
  (table $f 4 10 funcref) (table $e 2 externref)
  (memory (export "memory") 1 20)
  (global $g (export "g") (mut i32) (i32.const 7)) (global $v v128 (v128.const i64x2 1 2))
  (global $r funcref (ref.func $run))
  (elem (i32.const 0) $host $run) (elem $passive func $run $leaf) (elem declare func $leaf)
  (data (i32.const 8) "abcdefgh") (data $d "passive")
  (start $init)
  (func $init (global.set $g (i32.const 1)))
  (func $leaf (type $t) (i32.add (local.get 0) (i32.const 1)))
  (func $run (export "run") (type $t) (local i64 f32 f64 v128 externref)
    (block $out
      (loop $a
        (loop $b
          (br_table $a $b $out (local.get 0)))
        (br_if $a (i32.lt_u (call $leaf (local.get 0)) (i32.const 5)))))
    (memory.fill (i32.const 0) (i32.const 1) (local.get 0))
    (memory.init $d (i32.const 0) (i32.const 0) (local.get 0)) (data.drop $d)
    (table.init $f $passive (i32.const 0) (i32.const 0) (local.get 0)) (elem.drop $passive)
    (drop (memory.grow (i32.const 1)))
    (drop (f64.add (f64.const 1.5) (f64.load offset=300 align=4 (i32.const 2))))
    (local.set 4 (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (global.get $v) (local.get 4)))
    (drop (select (result externref) (table.get $e (i32.const 0)) (ref.null extern) (i32.const 1)))
    (return_call_indirect $f (type $t) (i32.const 3) (local.get 0)))
  (func (export "pairs") (type $pair)
    (local.get 0) (local.get 1)
    (loop $l (type $pair) (local.set 1) (local.set 0) (local.get 0) (local.get 1)
      (br_if $l (i32.eqz (local.get 0))) (drop) (drop) (local.get 1) (local.get 0))))`);

/** What came of it: guarded, or refused. */
function take(bytes: Uint8Array, how: string): 'guarded' | 'refused' {
  try {
    assert.ok(WebAssembly.validate(guardModule(bytes, OPTIONS).bytes), how);
    assert.ok(WebAssembly.validate(bytes), `${how}: taken though it is not valid`);
    return 'guarded';
  } catch (error) {
    assert.ok(error instanceof ServerError, `${how}: ${(error as Error).stack}`);
    assert.equal(error.code, 'PLUGIN_COMPILE_FAILED', `${how}: ${error.message} ${error.cause}`);
    return 'refused';
  }
}

/** One to four changes of the kinds that parsers trip over. */
function mutate(original: Uint8Array, random: Random): Uint8Array {
  let bytes = Uint8Array.from(original);
  for (let changes = 1 + random.below(4); changes > 0; changes -= 1) {
    const at = random.below(bytes.length);
    const kind = random.below(6);
    if (kind === 0) bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    else if (kind === 1) bytes[at] = random.below(256);
    else if (kind === 2) bytes[at] = [0, 0x7f, 0x80, 0xff][random.below(4)] as number;
    else if (kind === 3) bytes = bytes.slice(0, at);
    else if (kind === 4) bytes = Uint8Array.of(...bytes.slice(0, at), ...bytes.slice(at + 1));
    else {
      const inserted = random.bytes(1 + random.below(4));
      bytes = Uint8Array.of(...bytes.slice(0, at), ...inserted, ...bytes.slice(at));
    }
  }
  return bytes;
}

describe('bytes that are not as they should be', () => {
  it('cut short anywhere are refused', () => {
    assert.equal(take(RICH, 'whole'), 'guarded');
    for (let length = 0; length < RICH.length; length += 1) {
      take(RICH.slice(0, length), `the first ${length} bytes`);
    }
  });

  it(`changed at random are guarded or refused (seed ${SEED}, ${ROUNDS} rounds)`, () => {
    const random = new Random(SEED);
    const count = { guarded: 0, refused: 0 };
    for (let round = 0; round < ROUNDS; round += 1) {
      count[take(mutate(RICH, random), `seed ${SEED}, round ${round}`)] += 1;
    }
    assert.ok(count.guarded > ROUNDS / 100 && count.refused > ROUNDS / 3, JSON.stringify(count));
  });

  it('that announce more than there is are refused without room being made for it', () => {
    const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
    const huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
    for (let id = 1; id <= 13; id += 1) {
      take(Uint8Array.of(...header, id, 5, ...huge), `section ${id}`);
      take(Uint8Array.of(...header, id, ...huge), `section ${id} of 4 GiB`);
      take(Uint8Array.of(...header, id, 6, 0x80, 0x80, 0x80, 0x80, 0x80, 0), `section ${id}, long`);
    }
    const body = (...code: number[]): Uint8Array =>
      Uint8Array.of(
        ...header,
        ...[1, 4, 1, 0x60, 0, 0],
        ...[3, 2, 1, 0],
        ...[10, code.length + 2, 1, code.length, ...code],
      );
    take(body(1, ...huge, 0x7f, 0x0b), '4 Gi locals');
    take(body(...huge, 0x7f, 0x0b), '4 Gi groups of locals');
    take(body(0, 0x41, 0, 0x0e, ...huge, 0x0b), 'a branch table of 4 Gi');
    take(body(0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80), 'a constant without end');
    take(body(0, ...Array<number>(90).fill(0x02)), 'blocks without end');
  });

  it('of real plugins, changed at random, too', () => {
    const small = realModules().filter(({ bytes }) => bytes.length < 50_000);
    assert.ok(small.length > 0);
    const random = new Random(SEED);
    for (const { name, bytes } of small) {
      for (let round = 0; round < 100; round += 1) {
        take(mutate(bytes, random), `${name}, seed ${SEED}, round ${round}`);
      }
    }
    return undefined;
  });
});
