/** Good calls mixed with calls that trap, for the test and for bench/, which has more of them. */
import type { Plugin } from '../../src/plugin/create-plugin.ts';
import { assembleGuest } from '../helpers/wat.ts';

const FILES = `(import "wasi_snapshot_preview1" "path_open"
      (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))`;
const NO_FILES = `(func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 0))
    (func $close (param i32) (result i32) (i32.const 0))`;

/**
 * Both functions open the root of their directory, if they have one; `trap` traps with it open, after
 * spoiling its own state.
 */
export function assembleTrapper(hasDirectory = true): Promise<Uint8Array> {
  return assembleGuest(
    ['input_length', 'input_load_u8', 'alloc', 'store_u8', 'output_set'],
    `${hasDirectory ? FILES : NO_FILES}
    (memory (export "memory") 1)
    (global $spoilt (mut i32) (i32.const 0))
    (func $open_root (result i32)
      (i32.store8 (i32.const 0) (i32.const 46))
      (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 2)
            (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 8))
        (then unreachable))
      (i32.load (i32.const 8)))
    (func (export "good") (result i32) (local $at i64) (local $out i64)
      (if (global.get $spoilt) (then unreachable))
      (drop (call $close (call $open_root)))
      (local.set $out (call $alloc (call $input_length)))
      (loop $next
        (call $store_u8 (i64.add (local.get $out) (local.get $at)) (call $input_load_u8 (local.get $at)))
        (local.set $at (i64.add (local.get $at) (i64.const 1)))
        (br_if $next (i64.lt_u (local.get $at) (call $input_length))))
      (call $output_set (local.get $out) (call $input_length))
      (i32.const 0))
    (func (export "trap") (result i32)
      (global.set $spoilt (i32.const 1))
      (drop (call $open_root))
      (unreachable))`,
  );
}

export interface MixOutcome {
  /** Of the good calls. */
  readonly latenciesUs: number[];
  readonly trapped: number;
  /** Good calls with an error or another's output, and trapping ones that did not end as PLUGIN_TRAPPED. */
  readonly wrong: number;
}

/** One call after the other, each with an input of its own. */
export async function goodAndTrapping(
  plugin: Plugin,
  calls: number,
  oneIn: number,
): Promise<MixOutcome> {
  const latenciesUs: number[] = [];
  let trapped = 0;
  let wrong = 0;
  for (let call = 1; call <= calls; call++) {
    if (call % oneIn === 0) {
      const code = await plugin.call('trap').then(
        () => null,
        (error: { code?: string }) => error.code,
      );
      if (code === 'PLUGIN_TRAPPED') trapped++;
      else wrong++;
      continue;
    }
    const input = `call ${call}`;
    const startedAt = performance.now();
    const output = await plugin.call('good', input).then(
      (given) => given.text(),
      () => null,
    );
    latenciesUs.push((performance.now() - startedAt) * 1000);
    if (output !== input) wrong++;
  }
  return { latenciesUs, trapped, wrong };
}
