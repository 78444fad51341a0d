/**
 * A memory that is laid back keeps its pages, and the guest sees only those that it has in this call:
 * memory.size and memory.grow answer as in a new instance, and what grow hands out is zero.
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { guardModule } from '../../../src/plugin/guard/guard.ts';
import type { GuardOptions } from '../../../src/plugin/guard/guarded-module.ts';
import { Snapshot } from '../../../src/plugin/snapshot.ts';
import { assemble } from './assemble.ts';
import {
  type GuardedInstance,
  type HostOptions,
  instantiate,
  OPTIONS,
} from './guarded-instance.ts';

const PAGE = 65_536;
const guest = (memory: string): string => `(module ${memory}
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "put") (param i32) (i32.store8 (local.get 0) (i32.const 83)))
  (func (export "get") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "fill") (param i32 i32)
    (memory.fill (local.get 0) (i32.const 83) (local.get 1))))`;
const GUEST = guest('(memory 2 10)');

interface Restorable extends Pick<GuardedInstance, 'call'> {
  readonly realPages: number;
  restore(): void;
}

function make(wat: string, options: HostOptions = {}): Restorable {
  const { exports, guarded, call } = instantiate(wat, options);
  const globals = guarded.globals.map(({ name }) => exports[name] as WebAssembly.Global);
  const snapshot = new Snapshot(exports['plugind:memory'] as WebAssembly.Memory, globals);
  return {
    call,
    get realPages() {
      return (exports['plugind:pages'] as () => number)();
    },
    restore: () => snapshot.restore(),
  };
}

/** How many of the bytes in these pages are not zero, as the guest sees them. */
function dirt(instance: Restorable, from: number, pages: number): number {
  let found = 0;
  for (let at = from * PAGE; at < (from + pages) * PAGE; at += 1) {
    if (instance.call('get', at) !== 0) found += 1;
  }
  return found;
}

/** Lays nothing over what there is, as if zeroing were not there. */
function withoutZeroing({ mock }: TestContext, run: () => void): void {
  const { mock: fill } = mock.method(Uint8Array.prototype, 'fill', function (this: Uint8Array) {
    return this;
  });
  run();
  assert.equal(fill.callCount(), 1);
  fill.restore();
}

describe('a memory of a size of its own', () => {
  it('shows what it was after it was laid back, and grows within what it has', () => {
    const instance = make(GUEST);
    for (let round = 0; round < 5; round += 1) {
      assert.equal(instance.call('size'), 2);
      assert.equal(instance.call('grow', 1), 2);
      assert.equal(instance.call('grow', 2), 3);
      assert.equal(instance.call('size'), 5);
      assert.equal(instance.realPages, 5);
      assert.equal(dirt(instance, 0, 5), 0);
      instance.call('fill', 0, 5 * PAGE);
      instance.restore();
    }
  });

  it('grows beyond what it has, to its maximum and no further', () => {
    const instance = make(GUEST);
    instance.call('grow', 3);
    instance.restore();
    assert.equal(instance.call('grow', 9), -1);
    assert.equal(instance.call('grow', -1), -1);
    assert.equal(instance.call('grow', PAGE), -1);
    assert.equal(instance.call('grow', 0), 2);
    assert.equal(instance.call('size'), 2);
    assert.equal(instance.realPages, 5);
    assert.equal(instance.call('grow', 8), 2);
    assert.equal(instance.call('size'), 10);
    assert.equal(instance.call('grow', 1), -1);
    instance.restore();
    assert.equal(instance.realPages, 10);
    assert.equal(instance.call('grow', 9), -1);
    assert.equal(instance.call('grow', 8), 2);
    assert.equal(instance.call('grow', 1), -1);
    assert.equal(instance.call('grow', 0), 10);
  });

  it('grows into the last page that there can be', () => {
    const instance = instantiate(guest('(memory 0)'), { guard: { maxMemoryPages: PAGE } });
    assert.equal(instance.call('grow', PAGE), 0);
    const last = PAGE * PAGE - 1;
    instance.call('put', last);
    const size = instance.exports['plugind:size'] as WebAssembly.Global<number>;
    assert.equal(size.value, PAGE);
    size.value = PAGE - 1;
    assert.equal(instance.call('grow', 2), -1);
    assert.equal(instance.call('grow', 1), PAGE - 1);
    assert.equal(instance.call('get', last), 0);
    assert.equal(instance.call('grow', 1), -1);
  });

  it('has the host asked for what it has not yet, and no size that was refused', () => {
    const asked: number[] = [];
    let answer = 1;
    const mayGrow = (pages: number): number => {
      asked.push(pages);
      return answer;
    };
    const instance = make(GUEST, { mayGrow });
    instance.call('grow', 3);
    instance.restore();
    instance.call('grow', 3);
    answer = 0;
    assert.equal(instance.call('grow', 2), -1);
    assert.equal(instance.call('size'), 5);
    instance.restore();
    assert.equal(instance.call('grow', 4), -1);
    assert.equal(instance.call('size'), 2);
    assert.equal(instance.call('grow', 1), 2);
    assert.deepEqual(asked, [3, 2, 1]);
    assert.equal(instance.realPages, 5);
  });

  it('is zero where it grows, also where the same call wrote before', () => {
    const instance = make(GUEST);
    instance.call('grow', 3);
    instance.restore();
    instance.call('fill', 2 * PAGE, 3 * PAGE);
    assert.equal(instance.call('grow', 1), 2);
    assert.equal(dirt(instance, 2, 1), 0);
    assert.equal(instance.call('grow', 3), 3);
    assert.equal(dirt(instance, 3, 3), 0);
  });

  it('charges what it zeroes', () => {
    let checks = 0;
    const onCheck = (): void => {
      checks += 1;
    };
    const instance = make(GUEST, { fuel: 1000, onCheck });
    instance.call('grow', 8);
    instance.restore();
    checks = 0;
    instance.call('grow', 8);
    assert.ok(checks > 8, `${checks} questions`);
  });

  it('holds nothing of the call before, which is seen when it is not zeroed', (context) => {
    const instance = make(GUEST);
    const spill = (): void => {
      instance.call('grow', 2);
      instance.call('fill', PAGE, 3 * PAGE);
    };
    spill();
    instance.restore();
    // Between its size and what it has: a new instance would trap there.
    assert.equal(dirt(instance, 0, 4), 0);
    spill();
    withoutZeroing(context, instance.restore);
    assert.equal(dirt(instance, 0, 4), 3 * PAGE);
  });

  it('starts with what initialisation left it', () => {
    const instance = instantiate(
      `(module (memory 1 10) (data $d "abc")
        (func $start (drop (memory.grow (i32.const 2)))
          (memory.init $d (i32.const 140000) (i32.const 0) (i32.const 3)))
        (start $start)
        (func (export "grow") (result i32) (memory.grow (i32.const 1)))
        (func (export "get") (param i32) (result i32) (i32.load8_u (local.get 0))))`,
    );
    instance.call('plugind:start');
    const size = instance.exports['plugind:size'] as WebAssembly.Global<number>;
    const memory = instance.exports['plugind:memory'] as WebAssembly.Memory;
    const snapshot = new Snapshot(memory, [size]);
    for (let round = 0; round < 2; round += 1) {
      assert.equal(instance.call('grow'), 3);
      assert.equal(instance.call('get', 140_002), 99);
      snapshot.restore();
    }
  });
});

describe('a module whose memory needs no size of its own', () => {
  const GROWS = '(func (drop (memory.grow (i32.const 1))) (drop (memory.size)))';
  const guarded = (wat: string, snapshot: GuardOptions['snapshot'] = 'calls') =>
    guardModule(assemble(wat), { ...OPTIONS, snapshot });

  it('is not told of one: it never grows, imports it, or is not to be laid back', () => {
    for (const wat of [
      '(module (memory 1) (func (drop (memory.size))))',
      `(module (import "e" "m" (memory 1)) ${GROWS})`,
      `(module (memory 1) (data $d "x") (func (data.drop $d)) ${GROWS})`,
    ]) {
      const { globals, bytes } = guarded(wat);
      assert.deepEqual(globals, [], wat);
      assert.deepEqual(bytes, guarded(wat, null).bytes, wat);
    }
    assert.deepEqual(guarded(`(module (memory 1) ${GROWS})`, null).globals, []);
  });

  it('is told of one else, after its globals', () => {
    const { globals } = guarded(`(module (memory 1) (global (mut i64) (i64.const 0)) ${GROWS})`);
    assert.deepEqual(globals, [
      { name: 'plugind:g0', type: 'i64' },
      { name: 'plugind:size', type: 'i32' },
    ]);
  });
});
