/**
 * Straight code asks the host too, once it is long: whichever way is taken through it, and also when
 * it is what a call of another function comes back to. Small bodies are charged once, as they enter.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assemble } from './assemble.ts';
import { type AnyFunction, instantiate } from './guarded-instance.ts';

const FUEL = 1000;
/** What the guard lets run at once, with or without a call before it: its own figures, doubled. */
const MAX_UNITS = 20_000;
const MAX_UNITS_AFTER_CALL = 1000;
/** Units of one step. */
const STEP_UNITS = 4;
const STEP = '(global.set $n (i32.add (global.get $n) (i32.const 1)))';
/** More than a check apart, and far less. */
const LONG = STEP.repeat(5000);
const SHORT = STEP.repeat(600);
/** With SHORT before it a little over the distance, so that all checks are in it. */
const NOPS = 'nop '.repeat(7650);

const PROGRAMS: Record<string, string> = {
  'a long body': `(func (export "run") ${LONG.repeat(4)})`,
  'a loop with a long body': `(func (export "run") (local $i i32)
    (loop $l ${LONG.repeat(4)} (br_if $l (i32.lt_u (global.get $n) (i32.const 60000)))))`,
  'a small function called often': `(func $small ${STEP.repeat(50)})
    (func (export "run") ${'(call $small)'.repeat(800)})`,
  'a small function called often in a loop of a small function': `(func $tiny ${STEP.repeat(50)})
    (func $small (loop $l ${'(call $tiny)'.repeat(300)} (br_if $l (i32.lt_u (global.get $n) (i32.const 60000)))))
    (func (export "run") (call $small))`,
  'branches out of the block that a check is in': `(func (export "run")
    ${`(block ${SHORT} (br_if 0 (global.get $n)) ${NOPS})`.repeat(60)})`,
  'branches by a table out of it': `(func (export "run")
    ${`(block (block ${SHORT} (br_table 0 1 (global.get $n))) ${NOPS}${NOPS})`.repeat(60)})`,
  'an if that is left out': `(func (export "run")
    ${`${SHORT} (if (i32.eqz (global.get $n)) (then ${NOPS}))`.repeat(60)})`,
  'the else of an if that has a check': `(func (export "run")
    ${`(if (global.get $zero) (then ${NOPS}) (else ${SHORT}))`.repeat(60)})`,
  'an if whose else has a check': `(func (export "run")
    ${`(if (global.get $n) (then ${SHORT}) (else ${NOPS}))`.repeat(60)})`.replace(
    '(func (export "run")',
    `(func (export "run") ${STEP}`,
  ),
  'branches over code that ends the call': `(func (export "run")
    ${`(block ${SHORT} (br_if 0 (global.get $n)) ${NOPS} (return))`.repeat(30)}
    ${`(block ${SHORT} (br_if 0 (global.get $n)) ${NOPS} (unreachable))`.repeat(30)})`,
  'a loop that is left before its check': `(func (export "run")
    ${`(block (loop ${SHORT} (br_if 1 (global.get $n)) ${NOPS} (br 0)))`.repeat(60)})`,
};

const AFTER_CALLS: Record<string, string> = {
  'what recursion left to be done': `
    (func $deep (param $left i32)
      (if (local.get $left) (then (call $deep (i32.sub (local.get $left) (i32.const 1)))))
      ${SHORT})
    (func (export "run") (call $deep (i32.const 100)))`,
  'what recursion through a table left': `(table 1 funcref) (elem (i32.const 0) $deep)
    (type $t (func (param i32)))
    (func $deep (param $left i32)
      (if (local.get $left) (then
        (call_indirect (type $t) (i32.sub (local.get $left) (i32.const 1)) (i32.const 0))))
      ${SHORT})
    (func (export "run") (call $deep (i32.const 100)))`,
  'what recursion left in a loop': `
    (func $deep (param $left i32)
      (loop $l
        (if (local.get $left) (then (call $deep (i32.sub (local.get $left) (i32.const 1)))))
        ${SHORT} (br_if $l (global.get $zero))))
    (func (export "run") (call $deep (i32.const 100)))`,
};

/** Runs a program to its end, and gives the units of steps between two questions at most. */
function worstUnits(body: string): number {
  let steps = (): number => 0;
  let last = 0;
  let worst = 0;
  const measure = (): void => {
    worst = Math.max(worst, steps() - last);
    last = steps();
  };
  const guest = instantiate(
    `(module (global $n (export "n") (mut i32) (i32.const 0))
      (global $zero (mut i32) (i32.const 0)) ${body})`,
    { fuel: FUEL, onCheck: measure },
  );
  steps = () => (guest.exports.n as WebAssembly.Global<number>).value;
  guest.call('run');
  measure();
  assert.ok(last >= 20_000, `only ${last} steps were made`);
  return worst * STEP_UNITS;
}

describe('long straight code asks the host', () => {
  for (const [name, body] of Object.entries(PROGRAMS)) {
    it(`in ${name}`, () => {
      const units = worstUnits(body);
      assert.ok(units <= FUEL + MAX_UNITS, `${units} units in one period`);
    });
  }

  for (const [name, body] of Object.entries(AFTER_CALLS)) {
    it(`in ${name}`, () => {
      const units = worstUnits(body);
      assert.ok(units <= FUEL + MAX_UNITS_AFTER_CALL, `${units} units in one period`);
    });
  }

  it('and ends where it is told to', () => {
    const body = `(func (export "run") ${LONG.repeat(4)})`;
    const guest = instantiate(`(module (global $n (export "n") (mut i32) (i32.const 0)) ${body})`, {
      fuel: FUEL,
      periods: 2,
    });
    assert.throws(() => guest.call('run'), WebAssembly.RuntimeError);
    const { value } = guest.exports.n as WebAssembly.Global<number>;
    assert.ok(value > 0 && value < 3 * MAX_UNITS, `${value} steps`);
  });

  it('and computes what it did before, with a loop around it that keeps its fuel in a local', () => {
    const wat = `(module
      (func (export "run") (param $x i32) (result i32) (local $i i32)
        (loop $l
          ${'(local.set $x (i32.add (i32.mul (local.get $x) (i32.const 31)) (local.get $i)))'.repeat(4000)}
          (loop $inner
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $inner (i32.rem_u (local.get $i) (i32.const 7))))
          (br_if $l (i32.lt_u (local.get $i) (i32.const 50))))
        (local.get $x)))`;
    const plain = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(assemble(wat))));
    const expected = (plain.exports.run as unknown as AnyFunction)(5);
    for (const fuel of [1, 1000, 1_000_000]) {
      assert.equal(instantiate(wat, { fuel }).call('run', 5), expected);
    }
  });
});

describe('a body that is not long', () => {
  /** Bytes that guarding adds to a module of this one body. */
  const added = (body: string): number => {
    const bytes = assemble(`(module (func $other (call $other)) (func (export "run") ${body}))`);
    return instantiate(bytes).guarded.bytes.length - bytes.length;
  };

  it('is charged once, at its entry', () => {
    const byEntry = added('nop '.repeat(8200));
    assert.equal(added('nop '.repeat(9900)), byEntry);
    assert.ok(added('nop '.repeat(10_100)) > byEntry);
  });

  it('counts anew from its first call on, to a nearer end', () => {
    const byEntry = added(`${'nop '.repeat(9000)}(call $other)${'nop '.repeat(450)}`);
    assert.equal(byEntry, added('nop '.repeat(8200)));
    assert.ok(added(`(call $other)${'nop '.repeat(9000)}`) > byEntry);
  });

  it('is as long as its longest way, not as all of them together', () => {
    const arm = 'nop '.repeat(6000);
    const byEntry = added('nop '.repeat(8200));
    const arms = `(if (i32.const 1) (then ${arm}) (else ${arm}))`;
    assert.ok(added(arms) - byEntry <= 2);
    assert.ok(added(`(block (br_if 0 (i32.const 1)) ${arm} (return)) ${arm}`) - byEntry <= 2);
    assert.ok(added(arms + arm) - byEntry > 10);
  });
});
