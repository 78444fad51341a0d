/** A greedy guest gets an error, quickly, and the next call is right. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPlugin } from '../../src/plugin/create-plugin.ts';
import { assembleGuest } from '../helpers/wat.ts';

const OK = '(func (export "ok") (result i32) (i32.const 0))';
const MAX_PAGES = 160;
/** Above the limit itself, for code and garbage of the run; without limits each bomb takes more. */
const SLACK_BYTES = 64 * 1024 * 1024;

interface Bomb {
  readonly name: string;
  readonly imports: readonly string[];
  readonly body: string;
  readonly code: string;
}

const BOMBS: readonly Bomb[] = [
  {
    name: 'guest memory, grown until it is refused',
    imports: [],
    body: `(memory 1)
      (func (export "run") (result i32)
        (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (unreachable))`,
    code: 'PLUGIN_LIMIT',
  },
  {
    name: 'kernel memory, allocated for ever',
    imports: ['alloc'],
    body: `(func (export "run") (result i32)
        (loop $again (drop (call $alloc (i64.const 65536))) (br $again)) (i32.const 0))`,
    code: 'PLUGIN_LIMIT',
  },
  {
    name: 'one allocation of more than there is',
    imports: ['alloc', 'output_set'],
    body: `(func (export "run") (result i32)
        (if (i64.eqz (call $alloc (i64.const 0x7fffffff))) (then (unreachable))) (i32.const 0))`,
    code: 'PLUGIN_LIMIT',
  },
  {
    name: 'variables with large values',
    imports: ['alloc', 'store_u64', 'var_set'],
    body: `(func (export "run") (result i32) (local $key i64) (local $value i64)
        (local.set $value (call $alloc (i64.const 65536)))
        (loop $again
          (local.set $key (call $alloc (i64.const 8)))
          (call $store_u64 (local.get $key) (local.get $key))
          (call $var_set (local.get $key) (local.get $value))
          (local.set $value (call $alloc (i64.const 65536)))
          (br $again)) (i32.const 0))`,
    code: 'PLUGIN_LIMIT',
  },
  {
    name: 'variables with long names',
    imports: ['alloc', 'store_u64', 'var_set'],
    body: `(func (export "run") (result i32) (local $key i64) (local $n i64)
        (loop $again
          (local.set $key (call $alloc (i64.const 65536)))
          (local.set $n (i64.add (local.get $n) (i64.const 1)))
          (call $store_u64 (local.get $key) (local.get $n))
          (call $var_set (local.get $key) (local.get $key))
          (br $again)) (i32.const 0))`,
    code: 'PLUGIN_LIMIT',
  },
  {
    name: 'log lines for ever',
    imports: ['alloc', 'log_info'],
    body: `(func (export "run") (result i32)
        (loop $again (call $log_info (call $alloc (i64.const 100))) (br $again)) (i32.const 0))`,
    code: 'PLUGIN_LIMIT',
  },
  {
    name: 'an output over its limit',
    imports: ['alloc', 'output_set'],
    body: `(func (export "run") (result i32)
        (call $output_set (call $alloc (i64.const 9000000)) (i64.const 9000000)) (i32.const 0))`,
    code: 'PLUGIN_LIMIT',
  },
];

describe('a greedy guest', () => {
  for (const { name, imports, body, code } of BOMBS) {
    it(`is stopped: ${name}`, async (context) => {
      const guest = await assembleGuest(imports, OK + body);
      const plugin = await createPlugin({ wasm: guest, memory: { maxPages: MAX_PAGES } });
      await plugin.call('ok');
      const before = process.memoryUsage.rss();
      for (let round = 0; round < 3; round++) {
        const startedAt = performance.now();
        await assert.rejects(plugin.call('run'), { code });
        context.diagnostic(`${(performance.now() - startedAt).toFixed(1)} ms`);
        assert.equal((await plugin.call('ok')).byteLength, 0);
      }
      const grown = process.memoryUsage.rss() - before;
      assert.ok(grown < MAX_PAGES * 65_536 + SLACK_BYTES, `grew by ${grown} bytes`);
      await plugin.close();
    });
  }

  it('that keeps nearly all of its memory is replaced: the next caller has room for an input', async () => {
    const guest = await assembleGuest(
      [],
      `${OK} (memory 1)
      (func (export "run") (result i32)
        (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (i32.const 0))
      (func (export "most") (result i32) (memory.grow (i32.const 100)) (i32.const 0) (i32.lt_s))`,
    );
    const plugin = await createPlugin({ wasm: guest, memory: { maxPages: MAX_PAGES } });
    for (let round = 0; round < 2; round++) {
      await plugin.call('run');
      assert.equal((await plugin.call('ok', 'an input')).byteLength, 0);
      // What is left after this is enough for most, and only too little for what is larger still.
      await plugin.call('most');
      const large = new Uint8Array(70 * 65_536);
      await assert.rejects(plugin.call('ok', large), { code: 'PLUGIN_LIMIT' });
      assert.equal((await plugin.call('ok', large)).byteLength, 0);
    }
    await plugin.close();
  });

  it('is refused at load when it starts with more memory than it may have', async () => {
    const guest = await assembleGuest([], `${OK} (memory 161)`);
    const loading = createPlugin({ wasm: guest, memory: { maxPages: MAX_PAGES } });
    await assert.rejects(loading, { code: 'PLUGIN_COMPILE_FAILED' });
  });
});
