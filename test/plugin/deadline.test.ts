/** A guest that does not end is ended at its deadline, in the same thread, and the next call is right. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPlugin, type Plugin } from '../../src/plugin/create-plugin.ts';
import { assembleGuest } from '../helpers/wat.ts';

const TIMEOUT_MS = 100;
/** Far above what is seen (100 to 101 ms), for machines that are busy. */
const CAP_MS = 1000;
const ROUNDS = Number(process.env.PLUGIND_TEST_ROUNDS ?? 3);

const OK = '(func (export "ok") (result i32) (i32.const 0))';

interface Runaway {
  readonly name: string;
  readonly imports?: readonly string[];
  readonly body: string;
}

const RUNAWAYS: readonly Runaway[] = [
  {
    name: 'an empty loop',
    body: '(func (export "run") (result i32) (loop $again (br $again)) (i32.const 0))',
  },
  {
    name: 'a loop that calls a host function',
    imports: ['config_get', 'alloc', 'store_u8'],
    body: `(func (export "run") (result i32) (local $key i64)
      (loop $again
        (local.set $key (call $alloc (i64.const 1)))
        (call $store_u8 (local.get $key) (i32.const 97))
        (drop (call $config_get (local.get $key)))
        (br $again)) (i32.const 0))`,
  },
  {
    name: 'tail calls that go on for ever',
    body: '(func $run (export "run") (result i32) (return_call $run))',
  },
  {
    name: 'mutual recursion that returns before the stack is full',
    body: `(func $deep (param i32) (result i32)
        (if (result i32) (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0))))
      (func (export "run") (result i32) (loop $again (drop (call $deep (i32.const 100))) (br $again)) (i32.const 0))`,
  },
  {
    name: 'large fills of memory, one after another',
    body: `(memory 512)
      (func (export "run") (result i32)
        (loop $again (memory.fill (i32.const 0) (i32.const 1) (i32.const 33554432)) (br $again)) (i32.const 0))`,
  },
];

async function timeToEnd(plugin: Plugin): Promise<number> {
  const startedAt = performance.now();
  await assert.rejects(plugin.call('run'), { code: 'CALL_DEADLINE' });
  return performance.now() - startedAt;
}

describe('the deadline of a call', () => {
  for (const { name, imports = [], body } of RUNAWAYS) {
    it(`ends ${name}`, async (context) => {
      const guest = await assembleGuest(imports, OK + body);
      const plugin = await createPlugin({ wasm: guest, timeoutMs: TIMEOUT_MS });
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        times.push(await timeToEnd(plugin));
        assert.equal((await plugin.call('ok')).byteLength, 0);
      }
      await plugin.close();
      assert.ok(Math.min(...times) >= TIMEOUT_MS, `ended after ${Math.min(...times)} ms`);
      assert.ok(Math.max(...times) < CAP_MS, `ended after ${Math.max(...times)} ms`);
      context.diagnostic(`${Math.min(...times).toFixed(1)} to ${Math.max(...times).toFixed(1)} ms`);
    });
  }

  it('does not wait for infinite recursion: the stack ends first', async () => {
    const guest = await assembleGuest(
      [],
      `${OK} (func $run (export "run") (result i32) (i32.add (i32.const 1) (call $run)))`,
    );
    const plugin = await createPlugin({ wasm: guest, timeoutMs: TIMEOUT_MS });
    for (let round = 0; round < ROUNDS; round++) {
      await assert.rejects(plugin.call('run'), { code: 'PLUGIN_TRAPPED' });
      assert.equal((await plugin.call('ok')).byteLength, 0);
    }
    await plugin.close();
  });

  for (const [name, body] of [
    ['a start function', '(func $init (loop $again (br $again))) (start $init)'],
    ['_initialize', '(func (export "_initialize") (loop $again (br $again)))'],
    ['__wasm_call_ctors', '(func (export "__wasm_call_ctors") (loop $again (br $again)))'],
    ['hs_init', '(func (export "hs_init") (param i32 i32) (loop $again (br $again)))'],
  ] as const) {
    it(`ends ${name} that loops, and says so before anything is served`, async () => {
      const guest = await assembleGuest([], OK + body);
      await assert.rejects(createPlugin({ wasm: guest, timeoutMs: TIMEOUT_MS }), {
        code: 'CALL_DEADLINE',
      });
    });
  }
});
