/** Memory and tables stay within what the host allows, whatever the module declares. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { instantiate } from './guarded-instance.ts';

const GROW = `(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))`;

describe('memory', () => {
  it('grows to the limit and no further, with no maximum, a larger or a smaller one', () => {
    for (const [memory, allowed] of [
      ['(memory 2)', 10],
      ['(memory 2 65536)', 10],
      ['(memory 2 7)', 7],
    ] as const) {
      const guest = instantiate(`(module ${memory} ${GROW})`, { guard: { maxMemoryPages: 10 } });
      assert.equal(guest.guarded.memory?.maxPages, allowed);
      assert.equal(guest.call('grow', allowed - 2 + 1), -1, memory);
      assert.equal(guest.call('grow', allowed - 2), 2, memory);
      assert.equal(guest.call('grow', 1), -1, memory);
    }
  });

  it('is refused when it starts above the limit, with both figures', () => {
    assert.throws(
      () => instantiate('(module (memory 11 20))', { guard: { maxMemoryPages: 10 } }),
      (error: Error & { code?: string; details?: unknown }) => {
        assert.equal(error.code, 'PLUGIN_COMPILE_FAILED');
        assert.deepEqual(error.details, { value: 11, limit: 10 });
        return true;
      },
    );
  });

  it('is left as declared when it is imported', () => {
    const memory = new WebAssembly.Memory({ initial: 20, maximum: 30 });
    const guest = instantiate(`(module (import "env" "m" (memory 15 40)) ${GROW})`, {
      guard: { maxMemoryPages: 10 },
      imports: { env: { m: memory } },
    });
    assert.deepEqual(guest.guarded.memory, { imported: true, minPages: 15, maxPages: 40 });
    assert.equal(guest.exports['plugind:memory'], memory);
  });

  it('is exported for the host though the guest keeps it to itself', () => {
    const guest = instantiate('(module (memory 3))');
    const memory = guest.exports['plugind:memory'] as WebAssembly.Memory;
    assert.equal(memory.buffer.byteLength, 3 * 65_536);
  });
});

describe('tables', () => {
  const grow = (table: string): string =>
    `(func (export "grow_${table}") (param i32) (result i32)
      (table.grow $${table} (ref.null func) (local.get 0)))`;

  it('grow to the limit, which those that can grow share', () => {
    const one = instantiate(`(module (table $a 10 funcref) ${grow('a')})`, {
      guard: { maxTableElements: 100 },
    });
    assert.equal(one.call('grow_a', 91), -1);
    assert.equal(one.call('grow_a', 90), 10);
    const two = instantiate(
      `(module (table $a 10 funcref) (table $b 20 40 funcref) ${grow('a')} ${grow('b')})`,
      { guard: { maxTableElements: 100 } },
    );
    assert.equal(two.call('grow_a', 41), -1);
    assert.equal(two.call('grow_a', 40), 10);
    assert.equal(two.call('grow_b', 21), -1);
    assert.equal(two.call('grow_b', 20), 20);
  });

  it('count as able to grow when they are exported, and cannot otherwise', () => {
    const guest = instantiate('(module (table (export "t") 1 funcref) (table 5 funcref))', {
      guard: { maxTableElements: 8 },
    });
    const table = guest.exports.t as WebAssembly.Table;
    assert.equal(table.grow(7), 1);
    assert.throws(() => table.grow(1), RangeError);
  });

  it('are refused when they start above the limit together', () => {
    assert.throws(
      () =>
        instantiate('(module (table 60 funcref) (table 41 externref))', {
          guard: { maxTableElements: 100 },
        }),
      { code: 'PLUGIN_COMPILE_FAILED', details: { value: 101, limit: 100 } },
    );
  });

  it('of the guard itself cannot grow', () => {
    const check = instantiate('(module)').exports['plugind:check'] as WebAssembly.Table;
    assert.equal(check.length, 2);
    assert.throws(() => check.grow(1), RangeError);
  });
});
