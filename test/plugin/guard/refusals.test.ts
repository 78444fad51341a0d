/** What the guard does not take is refused by name, with the way out where there is one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServerError } from '../../../src/errors.ts';
import { guardModule } from '../../../src/plugin/guard/guard.ts';
import { assemble } from './assemble.ts';
import { OPTIONS } from './guarded-instance.ts';

/** A module of one function `() -> ()` with these bytes as its body. */
function withBody(...body: number[]): Uint8Array {
  const code = [0, ...body, 0x0b];
  return Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 4, 1, 0x60, 0, 0],
    ...[3, 2, 1, 0],
    ...[10, code.length + 2, 1, code.length, ...code],
  );
}

function leb128(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb128(value >> 7)];
}

function withSection(id: number, content: readonly number[]): Uint8Array {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, id, ...leb128(content.length)];
  return Uint8Array.from(header.concat(content));
}

function refusalOf(bytes: Uint8Array): ServerError {
  try {
    guardModule(bytes, OPTIONS);
  } catch (error) {
    assert.ok(error instanceof ServerError, String(error));
    assert.equal(error.code, 'PLUGIN_COMPILE_FAILED');
    assert.ok(error.message.startsWith('test.wasm: '));
    return error;
  }
  return assert.fail('it was taken');
}

describe('a module that cannot be guarded is refused', () => {
  const RUNS_IN_A_THREAD: Record<string, [wat: string, feature: string]> = {
    'catch_all, which could swallow what a host throws': [
      '(module (func $careless (export "f") (try (do (nop)) (catch_all))))',
      'try',
    ],
    'throw, though it names a tag': ['(module (tag $t) (func $thrower (throw $t)))', 'throw'],
    'a tag that nothing uses': ['(module (tag $t))', 'a tag section'],
    'an exported tag': ['(module (tag $t) (export "t" (tag $t)))', 'a tag'],
    'an atomic operation': [
      '(module (memory 1) (func $adder (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))))',
      'i32.atomic.rmw.add',
    ],
    'an atomic operation on part of a number': [
      '(module (memory 1) (func $adder (drop (i64.atomic.rmw16.cmpxchg_u (i32.const 0) (i64.const 1) (i64.const 1)))))',
      'i64.atomic.rmw16.cmpxchg_u',
    ],
    'atomic.fence': ['(module (func $f atomic.fence))', 'atomic.fence'],
    'shared memory': ['(module (memory 1 2 shared))', 'shared memory'],
  };
  for (const [name, [wat, feature]] of Object.entries(RUNS_IN_A_THREAD)) {
    it(`${name}: with the offer of a thread`, () => {
      const error = refusalOf(assemble(wat));
      assert.equal(error.details.feature, feature);
      assert.equal(error.details.execution, 'thread');
      assert.match(error.message, /"execution": "thread"/);
      const named = /func (\$\w+)/.exec(wat)?.[1]?.slice(1);
      if (named) assert.ok(error.message.includes(`function 0 (${named})`), error.message);
    });
  }

  // Not every version of Node.js runs these; where it does, a thread is offered.
  const NAMED: Record<string, [bytes: Uint8Array, feature: string]> = {
    try_table: [withBody(0x1f, 0x40, 0, 0x0b), 'try_table'],
    throw_ref: [withBody(0x0a), 'throw_ref'],
    'struct.new': [withBody(0xfb, 0, 0, 0x1a), 'struct.new'],
    'array.len': [withBody(0xd0, 0x6a, 0xfb, 15, 0x1a), 'array'],
    'ref.i31': [withBody(0x41, 0, 0xfb, 28, 0x1a), 'ref.i31'],
    call_ref: [withBody(0xd0, 0x70, 0x14, 0), 'call_ref'],
    return_call_ref: [withBody(0xd0, 0x70, 0x15, 0), 'return_call_ref'],
    'a struct type': [withSection(1, [1, 0x5f, 0]), 'a struct type'],
    'a recursive type group': [withSection(1, [1, 0x4e, 0]), 'a recursive type group'],
    'a subtype': [withSection(1, [1, 0x50, 0, 0x60, 0, 0]), 'a subtype'],
    'an exception reference as a parameter': [withSection(1, [1, 0x60, 1, 0x69, 0]), 'exnref'],
    'memory of 64 bits': [assemble('(module (memory i64 1))'), '64-bit addresses'],
    'two memories': [withSection(5, [2, 0, 1, 0, 1]), 'several memories'],
    'a global of any reference': [withSection(6, [1, 0x6e, 0, 0xd0, 0x6e, 0x0b]), 'anyref'],
  };
  for (const [name, [bytes, feature]] of Object.entries(NAMED)) {
    it(`${name}: by its name`, () => {
      const error = refusalOf(bytes);
      assert.ok(String(error.details.feature).startsWith(feature), error.message);
      assert.equal(error.details.execution, WebAssembly.validate(bytes) ? 'thread' : undefined);
    });
  }

  it("an unknown opcode: with V8's words", () => {
    assert.match(refusalOf(withBody(0x27)).message, /invalid|opcode/i);
    assert.match(refusalOf(withBody(0xfd, 0x9a, 0x01)).message, /invalid|opcode/i);
  });

  it('a component and what is no WebAssembly at all', () => {
    refusalOf(Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0));
    refusalOf(new TextEncoder().encode('#!/bin/sh\nexit 1\n'));
    refusalOf(new Uint8Array(0));
  });

  it("imports and exports in the engine's namespace", () => {
    for (const wat of [
      '(module (func (export "plugind:fuel")))',
      '(module (func (export "plugind:")))',
      '(module (import "plugind:guest" "f" (func)))',
      '(module (import "env" "plugind:fuel" (global (mut i32))))',
    ]) {
      assert.match(refusalOf(assemble(wat)).message, /reserved/);
    }
  });

  it('a function with no room for one more local', () => {
    const full = (count: number): Uint8Array =>
      assemble(`(module (func $full (local ${'i32 '.repeat(count)})))`);
    assert.match(refusalOf(full(50_000)).message, /function 0 \(full\)/);
    guardModule(full(49_999), OPTIONS);
  });

  it('more tables, imports or exports than any compiler writes', () => {
    refusalOf(assemble(`(module ${'(table 1 funcref)'.repeat(65)})`));
    const imports = Array.from({ length: 10_001 }, (_, n) => `(import "e" "f${n}" (func))`);
    refusalOf(assemble(`(module ${imports.join('')})`));
    const exports = Array.from({ length: 10_001 }, (_, n) => `(export "f${n}" (func 0))`);
    refusalOf(assemble(`(module (func) ${exports.join('')})`));
  });

  it('so many types that V8 would not take those of the guard too', () => {
    const count = 999_995;
    const types = Array.from({ length: count }, () => [0x60, 0, 0]).flat();
    const bytes = withSection(1, leb128(count).concat(types));
    assert.ok(WebAssembly.validate(bytes));
    assert.match(refusalOf(bytes).message, /999995 types/);
  });

  it('names of functions are shown without control characters and cut short', () => {
    const named = (name: string): string =>
      `(module (memory 1) (func (export "${name}") atomic.fence))`;
    assert.match(
      refusalOf(assemble(named('a\\1b[31m\\0ab'))).message,
      /function 0 \(a\?\[31m\?b\)/,
    );
    assert.ok(refusalOf(assemble(named('x'.repeat(5000)))).message.length < 500);
  });
});
