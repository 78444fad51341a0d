/** Guests and host functions for plugins in threads. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import {
  type CreatePluginOptions,
  createPlugin,
  type Plugin,
} from '../../../src/plugin/create-plugin.ts';
import { assembleGuest } from '../../helpers/wat.ts';

export const OK = '(func (export "ok") (result i32) (i32.const 0))';

/** Copies its input to its output. */
export const ECHO_IMPORTS = ['input_length', 'input_load_u8', 'alloc', 'store_u8', 'output_set'];
export const ECHO = `(memory 1)
  (func (export "echo") (result i32) (local $i i64) (local $n i64) (local $out i64)
    (local.set $n (call $input_length))
    (local.set $out (call $alloc (local.get $n)))
    (block $done (loop $next
      (br_if $done (i64.ge_u (local.get $i) (local.get $n)))
      (call $store_u8 (i64.add (local.get $out) (local.get $i)) (call $input_load_u8 (local.get $i)))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br $next)))
    (call $output_set (local.get $out) (local.get $n))
    (i32.const 0))`;

/** Calls the host function `host.NAME` with its input's address, and gives back what that returns. */
export function hostCaller(...names: readonly string[]): Promise<Uint8Array> {
  const imports = names.map(
    (name) => `(import "host" "${name}" (func $${name} (param i64) (result i64)))`,
  );
  const calls = names.map(
    (name) => `(func (export "${name}") (result i32) (local $block i64)
      (local.set $block (call $${name} (call $input_offset)))
      (call $output_set (local.get $block) (call $length (local.get $block)))
      (i32.const 0))`,
  );
  return assembleGuest(
    ['length', 'output_set'],
    `(import "extism:host/env" "input_offset" (func $input_offset (result i64)))
     ${imports.join('\n')} (memory 1) ${OK} ${calls.join('\n')}`,
  );
}

/** Path of a module of host functions in the namespace `host`. */
export function writeHostFunctions(t: TestContext, members: string): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'plugind-thread-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const file = path.join(dir, 'host.mjs');
  writeFileSync(file, `export const host = {\n${members}\n};\n`);
  return file;
}

/** Sleeps for ever, in a way that no guard and no promise can end. */
export const BLOCK = 'block() { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); }';

export async function createThreaded(
  t: TestContext,
  options: CreatePluginOptions,
): Promise<Plugin> {
  const plugin = await createPlugin({ execution: 'thread', timeoutMs: 20_000, ...options });
  t.after(() => plugin.close());
  return plugin;
}
