/** A kernel goes from a closed instance to the next one, unless anything of the old one could show. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { PluginConfig } from '../../src/config/types.ts';
import { compilePlugin } from '../../src/plugin/compile-plugin.ts';
import type { CompiledPlugin } from '../../src/plugin/compiled-plugin.ts';
import type { HostFunctions } from '../../src/plugin/kernel/bind-host-functions.ts';
import { type KernelInstance, KernelStore } from '../../src/plugin/kernel/kernel-store.ts';
import { QUIET_ENVIRONMENT } from '../../src/worker/create-plugins.ts';
import { loadFile } from '../config/fixture.ts';
import { assembleGuest } from '../helpers/wat.ts';

/** `write` leaves 4 KB of its input's length; `read` returns 1 when it finds a byte of it. */
const GUEST = await assembleGuest(
  ['alloc', 'store_u8', 'load_u64', 'var_get', 'var_set', 'input_length'],
  `(memory 1)
  (func (export "write") (result i32) (local $block i64) (local $at i64)
    (local.set $block (call $alloc (i64.const 4096)))
    (loop $more
      (call $store_u8 (i64.add (local.get $block) (local.get $at)) (i32.const 83))
      (local.set $at (i64.add (local.get $at) (i64.const 1)))
      (br_if $more (i64.lt_u (local.get $at) (i64.const 4096))))
    (call $var_set (local.get $block) (local.get $block))
    (i32.const 0))
  (func (export "read") (result i32) (local $block i64) (local $at i64)
    (local.set $block (call $alloc (i64.const 8192)))
    (loop $more
      (if (i64.ne (call $load_u64 (i64.add (local.get $block) (local.get $at))) (i64.const 0))
        (then (return (i32.const 1))))
      (local.set $at (i64.add (local.get $at) (i64.const 8)))
      (br_if $more (i64.lt_u (local.get $at) (i64.const 8192))))
    (i64.ne (call $input_length) (i64.const 0)))
  (func (export "trap") (result i32) (unreachable))`,
);

async function compile(hostFunctions: HostFunctions = {}): Promise<CompiledPlugin> {
  const wasm = [{ data: Buffer.from(GUEST).toString('base64') }];
  const config = loadFile({
    plugins: { p: { manifest: { wasm } } },
    routes: [{ path: '/', plugin: 'p', function: 'read' }],
  });
  return compilePlugin(config.plugins[0] as PluginConfig, QUIET_ENVIRONMENT, hostFunctions);
}

/** Kernels taken and given back from now on, in their order. */
function watch({ mock }: TestContext): { taken: KernelInstance[]; given: KernelInstance[] } {
  const taken: KernelInstance[] = [];
  const given: KernelInstance[] = [];
  const { take, giveBack } = KernelStore.prototype;
  mock.method(KernelStore.prototype, 'take', function (this: KernelStore, ...args: [never]) {
    const kernel = take.apply(this, args);
    taken.push(kernel);
    return kernel;
  });
  mock.method(KernelStore.prototype, 'giveBack', function (this: KernelStore, one: KernelInstance) {
    given.push(one);
    giveBack.call(this, one);
  });
  return { taken, given };
}

describe('the kernel of a closed instance', () => {
  it('serves the next one, which finds nothing in it', async (context) => {
    const { taken, given } = watch(context);
    const compiled = await compile();
    for (let round = 0; round < 3; round++) {
      const writer = await compiled.instantiate();
      assert.equal((await writer.call('write', Buffer.from('a secret'))).length, 0);
      await writer.close();
      await writer.close();
      const reader = await compiled.instantiate();
      assert.equal((await reader.call('read', new Uint8Array(0))).length, 0);
      await reader.close();
    }
    assert.equal(taken.length, 6);
    assert.equal(given.length, 6);
    assert.equal(new Set([...taken, ...given]).size, 1);
  });

  it('belongs to one instance at a time', async (context) => {
    const { taken } = watch(context);
    const compiled = await compile();
    const [first, second] = [await compiled.instantiate(), await compiled.instantiate()];
    assert.notEqual(taken[0], taken[1]);
    await first.call('write', Buffer.from('a secret'));
    assert.equal((await second.call('read', new Uint8Array(0))).length, 0);
    await Promise.all([first.close(), second.close()]);
  });

  it('is let go where it grew, after a trap, and where host functions could still use it', async (context) => {
    const { given } = watch(context);
    const compiled = await compile();
    const trapped = await compiled.instantiate();
    assert.throws(() => trapped.call('trap', new Uint8Array(0)), { code: 'PLUGIN_TRAPPED' });
    await trapped.close();
    const grown = await compiled.instantiate();
    await grown.call('write', new Uint8Array(100_000));
    await grown.close();
    const shown = await (await compile({ app: { any: () => 0 } })).instantiate();
    await shown.call('write', new Uint8Array(0));
    await shown.close();
    assert.deepEqual(given, []);
  });
});
