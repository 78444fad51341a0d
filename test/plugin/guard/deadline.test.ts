/**
 * Nothing runs on without asking the host. Each program counts its steps in the global `n` and would
 * stop by itself after three million, so a missing charge shows as a test that fails, not hangs.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assemble } from './assemble.ts';
import { type AnyFunction, instantiate } from './guarded-instance.ts';

const STEPS = 3_000_000;
const FUEL = 1000;
const PERIODS = 5;

/** A step, and whether there are more: leaves 1 on the stack until all are done. */
const STEP = `(global.set $n (i32.add (global.get $n) (i32.const 1)))
  (i32.lt_u (global.get $n) (i32.const ${STEPS}))`;

const module = (body: string): string => `(module
  (global $n (export "n") (mut i32) (i32.const 0)) ${body})`;

const PROGRAMS: Record<string, string> = {
  'a loop': `(func (export "run") (loop $l ${STEP} (br_if $l)))`,
  'a loop that branches by br and leaves by br_if': `(func (export "run")
    (block $b (loop $l ${STEP} (i32.eqz) (br_if $b) (br $l))))`,
  'a loop that branches by br_table': `(func (export "run")
    (block $b (loop $l ${STEP} (br_table $b $l))))`,
  'a loop that repeats from within blocks': `(func (export "run")
    (loop $l ${STEP} (if (then (block (block (br $l)))))))`,
  'a loop with parameters': `(func (export "run") (i32.const 1) (i64.const 2) (f32.const 3)
    (loop $l (param i32 i64 f32) (result i32 i64 f32) ${STEP} (br_if $l)) (drop) (drop) (drop))`,
  'an inner loop entered anew each time': `(func (export "run") (local $i i32)
    (loop $a
      (local.set $i (i32.const 3))
      (loop $b (local.set $i (i32.sub (local.get $i) (i32.const 1)))
        ${STEP} (i32.and (i32.ne (local.get $i) (i32.const 0))) (br_if $b))
      (br_if $a (i32.lt_u (global.get $n) (i32.const ${STEPS})))))`,
  'an outer loop reached from an inner one that never repeats': `(func (export "run")
    (loop $a (loop $b ${STEP} (br_if $a))))`,
  'the middle one of three loops': `(func (export "run")
    (loop $a (loop $b (loop $c ${STEP} (br_if $b)))))`,
  'a loop in a function that is called for one round': `
    (func $round (local $i i32) (local.set $i (i32.const 2))
      (loop $l (local.set $i (i32.sub (local.get $i) (i32.const 1))) (br_if $l (local.get $i))))
    (func (export "run") (loop $l (call $round) ${STEP} (br_if $l)))`,
  'a loop that calls an import': `(func (export "run") (loop $l (call $host) ${STEP} (br_if $l)))`,
  'a loop with a call that cannot return': `
    (func $fail unreachable)
    (func (export "run") (loop $l
      (if (i32.gt_u (global.get $n) (i32.const ${STEPS})) (then (call $fail) (unreachable)))
      ${STEP} (br_if $l)))`,
  recursion: `(func $run (export "run") ${STEP} (if (then (call $run))))`,
  'recursion of two small functions': `
    (func $a (export "run") ${STEP} (if (then (call $b))))
    (func $b (call $a))`,
  'recursion through a table': `(table 1 funcref) (elem (i32.const 0) $run) (type $t (func))
    (func $run (export "run") ${STEP} (if (then (call_indirect (type $t) (i32.const 0)))))`,
  'recursion through an import': `(func (export "run") ${STEP} (if (then (call $again))))`,
  'a tail call of itself': `(func $run (export "run") ${STEP} (if (then (return_call $run))))`,
  'tail calls of two small functions': `
    (func $a (export "run") ${STEP} (if (then (return_call $b))))
    (func $b (return_call $a))`,
  'a tail call through a table': `
    (table 1 funcref) (elem (i32.const 0) $run) (type $t (func))
    (func $run (export "run") ${STEP} (if (then (return_call_indirect (type $t) (i32.const 0)))))`,
  'a tail call through an import': `
    (func (export "run") ${STEP} (if (then (return_call $again))))`,
  'a loop of tail calls in a callee': `
    (func $a ${STEP} (if (then (return_call $b))))
    (func $b (return_call $a))
    (func (export "run") (call $a))`,
};

/** Instantiates a program whose imports are a host function and the module's own `run` again. */
function start(body: string): { failed: unknown; checks: number; worstSteps: number } {
  const wat = module(body).replace(
    '(module',
    '(module (import "env" "host" (func $host)) (import "env" "again" (func $again))',
  );
  let steps = (): number => 0;
  let last = 0;
  let worstSteps = 0;
  const measure = (): void => {
    worstSteps = Math.max(worstSteps, steps() - last);
    last = steps();
  };
  const guest = instantiate(wat, {
    fuel: FUEL,
    periods: PERIODS,
    onCheck: measure,
    imports: { env: { host: () => {}, again: () => (guest.exports.run as AnyFunction)() } },
  });
  steps = () => (guest.exports.n as WebAssembly.Global<number>).value;
  let failed: unknown;
  try {
    guest.call('run');
  } catch (error) {
    failed = error;
  }
  measure();
  return { failed, checks: guest.checks, worstSteps };
}

describe('a guarded module asks the host, and ends when it is told to', () => {
  for (const [name, body] of Object.entries(PROGRAMS)) {
    it(name, () => {
      const { failed, checks, worstSteps } = start(body);
      assert.ok(failed instanceof WebAssembly.RuntimeError, `ended with ${failed}`);
      assert.equal(checks, PERIODS + 1);
      assert.ok(worstSteps <= FUEL, `${worstSteps} steps in one period`);
    });
  }

  it('in the start function, which the host runs', () => {
    const guest = instantiate(module(`(func $s (loop $l ${STEP} (br_if $l))) (start $s)`), {
      fuel: FUEL,
      periods: PERIODS,
    });
    assert.equal((guest.exports.n as WebAssembly.Global<number>).value, 0);
    assert.equal(guest.guarded.hasStart, true);
    assert.throws(() => guest.call('plugind:start'), WebAssembly.RuntimeError);
    assert.equal(guest.checks, PERIODS + 1);
  });

  it('before a loop begins, when the host put no check in place', () => {
    const guest = instantiate(module(`(func (export "run") (loop $l ${STEP} (br_if $l)))`));
    (guest.exports['plugind:check'] as WebAssembly.Table).set(0, null);
    assert.throws(() => guest.call('run'), WebAssembly.RuntimeError);
    assert.equal((guest.exports.n as WebAssembly.Global<number>).value, 0);
  });

  it('once for each round of a loop that costs more than a period', () => {
    const body = '(drop (i64.const 1))'.repeat(FUEL);
    const guest = instantiate(
      module(`(func (export "run") (loop $l ${STEP} (drop) ${body}
        (br_if $l (i32.lt_u (global.get $n) (i32.const 10)))))`),
      { fuel: FUEL },
    );
    guest.call('run');
    assert.equal((guest.exports.n as WebAssembly.Global<number>).value, 10);
    assert.equal(guest.checks, 11);
  });

  it('at the next charge after a host function emptied the counter', () => {
    const guest = instantiate(
      `(module (import "env" "host" (func $host)) ${module(
        `(func (export "run") (loop $l ${STEP} (if (i32.eq (global.get $n) (i32.const 10))
          (then (call $host))) (br_if $l)))`,
      ).slice('(module'.length)}`,
      {
        fuel: 1_000_000_000,
        periods: 1,
        imports: {
          env: {
            host: () => {
              (guest.exports['plugind:fuel'] as WebAssembly.Global<number>).value = 0;
            },
          },
        },
      },
    );
    assert.throws(() => guest.call('run'), WebAssembly.RuntimeError);
    assert.equal((guest.exports.n as WebAssembly.Global<number>).value, 10);
  });

  it('takes any answer of the host: a negative one ends, a huge one does not wrap round', () => {
    const wat = module(`(func (export "run") (loop $l ${STEP} (br_if $l)))`);
    const negative = instantiate(wat, { fuel: -5 });
    assert.throws(() => negative.call('run'), WebAssembly.RuntimeError);
    const huge = instantiate(wat, { fuel: 2 ** 31 - 1 });
    huge.call('run');
    assert.equal(huge.checks, 1);
  });

  it('after a deadline the next call is right', () => {
    const guest = instantiate(
      module(`(func (export "run") (loop $l ${STEP} (br_if $l)))
        (func (export "ok") (result i32) (i32.const 42))`),
      { fuel: FUEL, periods: 1 },
    );
    assert.throws(() => guest.call('run'), WebAssembly.RuntimeError);
    assert.equal(guest.call('ok'), 42);
  });
});

describe('operations that take long by their operand', () => {
  /** Runs an operation in a loop of `rounds` and tells how often the host was asked. */
  function checksOf(setup: string, operation: string, rounds: number, fuel: number): number {
    const guest = instantiate(
      `(module ${setup} (func $f) (func (export "run") (param $size i32) (local $i i32)
        (local.set $i (i32.const ${rounds}))
        (loop $l ${operation} (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))))`,
      { fuel, guard: { maxTableElements: 1_000_000 } },
    );
    guest.call('run', 1 << 20);
    return guest.checks;
  }

  const memory = '(memory 32) (data $d "0123456789")';
  const table = '(table $t 100000 200000 funcref) (elem $e func $f)';
  const n = '(local.get $size)';
  const many = '(i32.shr_u (local.get $size) (i32.const 4))';

  it('memory.fill and memory.copy are charged by their length', () => {
    const fill = `(memory.fill (i32.const 0) (i32.const 1) ${n})`;
    assert.ok(checksOf(memory, fill, 100, 16_384) >= 100);
    const copy = `(memory.copy (i32.const 0) (i32.const 9) ${n})`;
    assert.ok(checksOf(memory, copy, 100, 16_384) >= 100);
    assert.ok(
      checksOf(memory, copy.replace('(i32.const 0)', '(i32.const 99)'), 100, 16_384) >= 100,
    );
  });

  it('a fill or copy of many megabytes asks in between', () => {
    const guest = instantiate(
      `(module (memory (export "memory") 1024)
        (func (export "fill") (memory.fill (i32.const 0) (i32.const 7) (i32.const 0x4000000)))
        (func (export "copy") (memory.copy (i32.const 0) (i32.const 1) (i32.const 0x3ffffff))))`,
      { fuel: 16_384, periods: 3 },
    );
    assert.throws(() => guest.call('fill'), WebAssembly.RuntimeError);
    const bytes = new Uint8Array((guest.exports.memory as WebAssembly.Memory).buffer);
    assert.deepEqual([bytes[1 << 20], bytes[7 << 20]], [7, 0]);
    assert.equal(guest.checks, 4);
    assert.throws(() => guest.call('copy'), WebAssembly.RuntimeError);
  });

  it('long table operations are charged by their length', () => {
    const ref = '(ref.func $f)';
    assert.ok(checksOf(table, `(table.fill $t (i32.const 0) ${ref} ${many})`, 50, 65_536) >= 50);
    assert.ok(
      checksOf(table, `(table.copy $t $t (i32.const 0) (i32.const 9) ${many})`, 50, 65_536) >= 50,
    );
    assert.ok(checksOf(table, `(drop (table.grow $t ${ref} ${many}))`, 50, 65_536) >= 50);
    const traps = instantiate(
      `(module ${table} (func $f) (func (export "run") (param i32)
        (table.init $t $e (i32.const 0) (i32.const 0) (local.get 0))))`,
      { fuel: 65_536, guard: { maxTableElements: 200_000 } },
    );
    assert.throws(() => traps.call('run', 1 << 20), WebAssembly.RuntimeError);
    assert.equal(traps.checks, 1);
  });

  it('memory.grow and memory.init are charged', () => {
    assert.ok(checksOf(memory, '(drop (memory.grow (i32.const 0)))', 1000, 1000) >= 500);
    const guest = instantiate(
      `(module (memory 1) (data $d "${'x'.repeat(60_000)}") (func (export "run") (param i32)
        (local $i i32) (local.set $i (i32.const 100))
        (loop $l (memory.init $d (i32.const 0) (i32.const 0) (local.get 0))
          (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))))`,
      { fuel: 937 },
    );
    guest.call('run', 60_000);
    assert.ok(guest.checks >= 100);
  });

  it('a frame of thousands of locals is charged at each call', () => {
    const guest = instantiate(
      `(module (func $big (local ${'i64 '.repeat(40_000)}))
        (func (export "run") (local $i i32) (local.set $i (i32.const 100))
          (loop $l (call $big) (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))))`,
      { fuel: 5000 },
    );
    guest.call('run');
    assert.ok(guest.checks >= 100);
  });
});

describe('what bounds a single period', () => {
  it('is not a guest that knows the index of the counter', () => {
    const wat = (index: number): string =>
      `(module (global $own (mut i32) (i32.const 0))
        (func (export "run") (loop $l (global.set ${index} (i32.const 9)) (br $l))))`;
    assert.equal(instantiate(wat(0), { periods: 1 }).guarded.functions.length, 1);
    assert.throws(() => instantiate(assemble(wat(1))), { code: 'PLUGIN_COMPILE_FAILED' });
  });

  it('is not a guest that knows the index of the table, of a type or of a function', () => {
    for (const body of [
      '(drop (table.get 0 (i32.const 0)))',
      '(call_indirect 0 (type 0) (i32.const 0))',
      '(call 1 (i32.const 0))',
      '(call_indirect 0 (type 2) (i32.const 0) (i32.const 0) (i32.const 0))',
    ]) {
      const bytes = assemble(`(module (type (func)) (func (export "run") (type 0) ${body}))`);
      assert.throws(() => instantiate(bytes), { code: 'PLUGIN_COMPILE_FAILED' }, body);
    }
  });
});
