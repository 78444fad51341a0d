/** Guests linked with the kernel through the SDK's manifest, as the engine links them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { KERNEL_ITEM, Kernel } from '../../../src/plugin/kernel/kernel.ts';
import type { ShimImport } from '../../../src/plugin/kernel/shim.ts';
import { DOUBLE_LIBRARY, DOUBLE_MAIN, ECHO, HOST_CALLER, VAR_BOMB, WASI_RANDOM } from './guests.ts';
import { assemble, createTestKernel, example, GUEST_ITEM, link } from './linked.ts';

describe('a guest linked with the kernel', () => {
  it('gets input and gives output, also as a plain instance', async () => {
    const { call } = await link({ items: { [GUEST_ITEM]: assemble(ECHO) }, functions: ['echo'] });
    for (const input of ['', 'a', 'hello world', '😄 Bob Morane', 'x'.repeat(100_000)]) {
      assert.equal(call('echo', input), input);
    }
    const test = createTestKernel();
    const guest = new WebAssembly.Instance(assemble(ECHO), { [KERNEL_ITEM]: test.abi as never });
    test.begin('plain');
    const returned = (guest.exports.echo as () => number)();
    assert.equal(Buffer.from(test.kernel.finish(returned)).toString(), 'plain');
  });

  it('echoes any bytes', async () => {
    const { exports, kernel } = await link({
      items: { [GUEST_ITEM]: assemble(ECHO) },
      functions: ['echo'],
    });
    const echo = exports.echo as () => number;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (input) => {
        kernel.begin(input);
        assert.ok(Buffer.from(input).equals(kernel.finish(echo())));
      }),
    );
  });

  it('may return nothing', async () => {
    const shim: ShimImport[] = [
      {
        kind: 'function',
        module: GUEST_ITEM,
        name: 'echo_void',
        as: 'echo',
        params: [],
        results: [],
      },
    ];
    const { call } = await link({ items: { [GUEST_ITEM]: assemble(ECHO) }, shim });
    assert.equal(call('echo', 'void'), 'void');
  });

  it('shares its kernel with the other items of its manifest', async () => {
    const { call } = await link({
      items: { library: assemble(DOUBLE_LIBRARY), [GUEST_ITEM]: assemble(DOUBLE_MAIN) },
      functions: ['run'],
    });
    assert.equal(call('run', 'ab'), 'abab');
    assert.equal(call('run', 'xyz'), 'xyzxyz');
  });

  it('shares nothing with another instance', async () => {
    const items = { [GUEST_ITEM]: example('count-vowels') };
    const one = await link({ items, functions: ['count_vowels'] });
    const two = await link({ items, functions: ['count_vowels'] });
    const count = (plugin: typeof one): number =>
      (JSON.parse(plugin.call('count_vowels', 'aaa')) as { total: number }).total;
    assert.deepEqual([count(one), count(one), count(two), count(one)], [3, 6, 3, 9]);
  });

  it('has WASI work on its own memory', async () => {
    const { call, plugin } = await link({
      items: { [GUEST_ITEM]: assemble(WASI_RANDOM) },
      functions: ['run'],
      sdk: { useWasi: true },
    });
    const outputs = new Set(Array.from({ length: 5 }, () => call('run')));
    assert.equal(outputs.size, 5);
    await plugin.close();
  });
});

describe('the example plugins', () => {
  it('answer right', async () => {
    const hello = await link({ items: { [GUEST_ITEM]: example('hello') }, functions: ['hello'] });
    assert.equal(hello.call('hello', '😄 Bob Morane'), '{"message":"🦀 Hello 😄 Bob Morane"}');
    assert.throws(() => hello.call('hello', Uint8Array.of(0xff, 0xfe)), { code: 'PLUGIN_ERROR' });
    assert.equal(hello.call('hello', 'again'), '{"message":"🦀 Hello again"}');

    const echo = await link({ items: { [GUEST_ITEM]: example('echo') }, functions: ['echo'] });
    for (let length = 0; length < 100; length++) {
      const text = 'abcdefghijk'.repeat(10).slice(0, length);
      assert.equal(echo.call('echo', text), text);
    }
    const rust = await link({
      items: { [GUEST_ITEM]: example('hello-rust') },
      functions: ['hello'],
    });
    assert.equal(rust.call('hello', '😄 Bob Morane'), '{"message":"🦀 Hello 😄 Bob Morane"}');
  });

  it('read their configuration', async () => {
    const { call } = await link({
      items: { [GUEST_ITEM]: example('count-vowels') },
      functions: ['count_vowels'],
      config: { vowels: 'xyz' },
    });
    assert.equal(call('count_vowels', 'aeiou xyz'), '{"count":3,"total":3,"vowels":"xyz"}');
  });

  it('report errors', async () => {
    const { call } = await link({
      items: { [GUEST_ITEM]: example('error') },
      functions: ['error', 'ok'],
    });
    for (let round = 0; round < 3; round++) {
      assert.throws(() => call('error', 'Bob'), {
        code: 'PLUGIN_ERROR',
        message: 'no such user: Bob',
      });
      assert.equal(call('ok'), 'ok');
    }
  });
});

describe('a limit', () => {
  it('takes the fuel away, so that the guest traps at its next check', async () => {
    let fuel: WebAssembly.Global | null = null;
    const shim: ShimImport[] = [
      {
        kind: 'global',
        module: GUEST_ITEM,
        name: 'plugind:fuel',
        as: 'fuel',
        type: 'i32',
        mutable: true,
      },
    ];
    const linked = await link({
      items: { [GUEST_ITEM]: assemble(VAR_BOMB) },
      functions: ['run', 'idle'],
      shim,
      vars: { maxBytes: 10_000, maxCount: 1000 },
      trip: () => {
        (fuel as unknown as WebAssembly.Global).value = 0;
      },
    });
    fuel = linked.exports.fuel as WebAssembly.Global;
    fuel.value = 1_000_000;
    assert.throws(() => linked.call('run'), WebAssembly.RuntimeError);
    assert.equal(linked.host.tripped?.code, 'PLUGIN_LIMIT');
    assert.ok(linked.host.vars.bytes <= 10_000);
    assert.equal(linked.call('idle'), '');
  });
});

describe('host functions of an embedder', () => {
  const items = { [GUEST_ITEM]: assemble(HOST_CALLER) };
  const functions = ['run', 'run_swallowing'];

  it('get a call context over the kernel', async () => {
    const { call } = await link({
      items,
      functions,
      hostFunctions: {
        app: {
          transform: (context, address: bigint) => {
            const input = context.read(address);
            const user = context.hostContext<{ name: string }>().name;
            return context.store(`${user}: ${input?.text().toUpperCase()}`);
          },
        },
      },
    });
    assert.equal(call('run', 'grüße', { name: 'Ada' }), 'Ada: GRÜSSE');
    assert.equal(call('run', 'again', { name: 'Bob' }), 'Bob: AGAIN');
  });

  it('end the one call in which they throw, past a catch_all', async () => {
    let isBroken = true;
    const { call, host } = await link({
      items,
      functions,
      hostFunctions: {
        app: {
          transform: (context) => {
            if (isBroken) throw new Error('database is gone');
            return context.store('fine');
          },
        },
      },
    });
    assert.throws(() => call('run', 'x'), { code: 'INTERNAL', message: 'database is gone' });
    assert.throws(() => call('run_swallowing', 'x'), { code: 'INTERNAL' });
    assert.equal(host.tripped?.message, 'database is gone');
    isBroken = false;
    assert.equal(call('run', 'x'), 'fine');
    assert.equal(host.tripped, null);
  });

  it('may suspend the guest where the engine can, and are refused by the SDK elsewhere', async () => {
    const options = {
      items,
      functions,
      hostFunctions: {
        app: {
          transform: async (context: { store(text: string): bigint }): Promise<bigint> => {
            await new Promise((resolve) => setImmediate(resolve));
            return context.store('later');
          },
        },
      },
    };
    if (WebAssembly.promising === undefined) {
      await assert.rejects(link(options), TypeError);
      return;
    }
    const { kernel, host, exports } = await link(options);
    host.begin();
    kernel.begin(Buffer.from('x'));
    const returned = await WebAssembly.promising(exports.run as () => number)();
    assert.equal(Buffer.from(kernel.finish(returned as number)).toString(), 'later');
  });

  it("cannot stand in for the engine's own", async () => {
    for (const namespace of [KERNEL_ITEM, 'plugind:host', 'plugind:x', 'wasi_snapshot_preview1']) {
      await assert.rejects(
        link({ items, functions, hostFunctions: { [namespace]: { f: () => 0 } } }),
        { code: 'CONFIG_INVALID' },
      );
    }
  });

  it('are new objects for each instance', async () => {
    const hostFunctions = { app: { transform: (): bigint => 0n } };
    await link({ items, functions, hostFunctions });
    assert.deepEqual(Object.keys(hostFunctions), ['app']);
    assert.deepEqual(Object.keys(hostFunctions.app), ['transform']);
  });
});

describe('http_request on a suspended stack', () => {
  it('gives the response where the engine can suspend', async () => {
    const guest = assemble(`(module
      (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
      (import "extism:host/env" "length" (func $length (param i64) (result i64)))
      (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
      (import "extism:host/env" "http_request" (func $http_request (param i64 i64) (result i64)))
      (func (export "run") (result i32)
        (local $body i64)
        (local.set $body (call $http_request (call $alloc (i64.const 1)) (i64.const 0)))
        (call $output_set (local.get $body) (call $length (local.get $body)))
        (i32.const 0)))`);
    const options = {
      items: { [GUEST_ITEM]: guest },
      functions: ['run'],
      http: {
        kind: 'suspending' as const,
        request: async () => {
          await new Promise((resolve) => setImmediate(resolve));
          return { status: 200, headers: null, body: Buffer.from('from afar') };
        },
      },
    };
    if (WebAssembly.promising === undefined) {
      await assert.rejects(link(options), TypeError);
      return;
    }
    const { kernel, host, exports } = await link(options);
    host.begin();
    kernel.begin(Buffer.from('x'));
    const returned = await WebAssembly.promising(exports.run as () => number)();
    assert.equal(Buffer.from(kernel.finish(returned as number)).toString(), 'from afar');
  });
});

it('a kernel over the shim is the kernel the guest uses', async () => {
  const { exports, call } = await link({
    items: { [GUEST_ITEM]: assemble(ECHO) },
    functions: ['echo'],
  });
  const second = new Kernel(exports, { maxHeapPages: 64, maxOutputBytes: 2 });
  assert.equal(call('echo', 'abc'), 'abc');
  assert.throws(() => second.finish(0), { code: 'PLUGIN_LIMIT' });
});
