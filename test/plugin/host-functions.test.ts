/** Host functions of an embedder: what goes wrong in one is that call's error alone, and its call's time is bounded. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPlugin, type Plugin } from '../../src/plugin/create-plugin.ts';
import type { HostFunction } from '../../src/plugin/kernel/bind-host-functions.ts';
import { CAN_SUSPEND, describeWhere } from '../helpers/engine.ts';
import { assemble } from '../helpers/wat.ts';

const GUEST = await assemble(`(module
  (import "app" "ask" (func $ask (param i64) (result i64)))
  (import "extism:host/env" "input_offset" (func $input (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (func (export "ask") (result i32) (local $answer i64)
    (local.set $answer (call $ask (call $input)))
    (call $output_set (local.get $answer) (call $length (local.get $answer)))
    (i32.const 0))
  (func $deep (export "deep") (result i32)
    (drop (call $ask (call $input)))
    (i32.add (i32.const 1) (call $deep)))
  (func (export "ok") (result i32) (i32.const 0)))`);

function create(ask: HostFunction, timeoutMs = 1000): Promise<Plugin> {
  return createPlugin({ wasm: GUEST, timeoutMs, hostFunctions: { app: { ask } } });
}

/** The same fault twice, with a good call after each. */
async function assertFails(plugin: Plugin, functionName: string, code: string): Promise<void> {
  for (let round = 0; round < 2; round++) {
    await assert.rejects(plugin.call(functionName, 'x'), { code });
    assert.equal((await plugin.call('ok', 'x')).byteLength, 0);
  }
  await plugin.close();
}

describe('a host function', () => {
  it('answers the call that asked, with what its caller passed along', async () => {
    const plugin = await create((context, address: bigint) =>
      context.store(`${context.hostContext<string>()}: ${context.read(address)?.text()}`),
    );
    const answers = ['Ada', 'Bob'].map((user) =>
      plugin.call('ask', `from ${user}`, { hostContext: user }),
    );
    const texts = (await Promise.all(answers)).map((answer) => answer.text());
    assert.deepEqual(texts, ['Ada: from Ada', 'Bob: from Bob']);
    await plugin.close();
  });

  it('that throws fails its call', async () => {
    const ask = (): never => {
      throw new Error('database is gone');
    };
    await assertFails(await create(ask), 'ask', 'INTERNAL');
  });

  it('that returns a promise without being async fails its call, and its rejection is nobody else’s', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): number => unhandled.push(reason);
    process.on('unhandledRejection', note);
    const ask = (): Promise<never> => Promise.reject(new Error('later'));
    await assertFails(await create(ask), 'ask', 'INTERNAL');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    assert.deepEqual(unhandled, []);
  });

  it('that returns what its type has not is to blame itself, by name', async () => {
    for (const returned of ['text', undefined, null, 1, {}, [1n], Symbol('s')]) {
      const plugin = await create(() => returned);
      await assert.rejects(plugin.call('ask', 'x'), {
        code: 'INTERNAL',
        details: { hostFunction: 'app.ask' },
      });
      await assertFails(plugin, 'ask', 'INTERNAL');
    }
  });

  it('may return whatever its type has, each of several results too', async () => {
    const types = ['i32', 'i64', 'f32', 'f64'];
    const guest = await assemble(`(module
      (import "app" "all" (func $all (result ${types.join(' ')})))
      (import "app" "none" (func $none))
      (import "app" "i32" (func $i32 (result i32)))
      (func (export "all") (result i32) (call $all) (drop) (drop) (drop))
      (func (export "i32") (result i32) (call $none) (call $i32)))`);
    let all: unknown = [0, 1n, 1.5, -0];
    let i32: unknown = 0;
    const app = { all: () => all, none: () => 'ignored', i32: () => i32 };
    const plugin = await createPlugin({ wasm: guest, hostFunctions: { app } });
    await plugin.call('all');
    for (const good of [0, false, 4_294_967_296]) {
      i32 = good;
      await plugin.call('i32');
    }
    for (const bad of [undefined, '0', 0n, [0]]) {
      i32 = bad;
      await assert.rejects(plugin.call('i32'), { code: 'INTERNAL' });
    }
    for (const bad of [0, [0, 1n, 1.5], [0, 1, 1.5, 0], [0, 1n, 1.5, 0, 0]]) {
      all = bad;
      await assert.rejects(plugin.call('all'), { code: 'INTERNAL' });
    }
    await plugin.close();
  });

  it('that is reached at the end of the stack fails its call', async () => {
    await assertFails(await create((context) => context.store('x')), 'deep', 'PLUGIN_TRAPPED');
  });

  it('that takes longer than the call may is the last that the call does', async () => {
    const ask = (): bigint => {
      const until = performance.now() + 60;
      while (performance.now() < until);
      return 0n;
    };
    await assertFails(await create(ask, 50), 'ask', 'CALL_DEADLINE');
  });

  it('sets the log level of its own call, whichever isolation', async () => {
    const ask: HostFunction = (context) => {
      const before = context.logLevel;
      context.logLevel = 'error';
      return context.store(`${before} ${context.logLevel}`);
    };
    for (const isolation of ['shared', 'fresh'] as const) {
      const plugin = await createPlugin({
        wasm: GUEST,
        isolation,
        hostFunctions: { app: { ask } },
      });
      for (let round = 0; round < 2; round++) {
        assert.equal((await plugin.call('ask', 'x')).text(), 'debug error', isolation);
      }
      await plugin.close();
    }
  });

  it('is given only what the guest may have of variables and memory', async () => {
    const variables = await create((context) => {
      context.setVariable('name', 'x'.repeat(2 * 1024 * 1024));
      return 0n;
    });
    await assertFails(variables, 'ask', 'PLUGIN_LIMIT');
    const memory = await create((context) => context.store('x'.repeat(100 * 1024 * 1024)));
    await assertFails(memory, 'ask', 'PLUGIN_LIMIT');
  });
});

describeWhere(CAN_SUSPEND)('an async host function', () => {
  it('is waited for, by its own call alone', async () => {
    const plugin = await create(async (context, address: bigint) => {
      await new Promise((resolve) => setImmediate(resolve));
      return context.store(`later: ${context.read(address)?.text()}`);
    });
    const texts = await Promise.all(
      ['a', 'b', 'c'].map(async (input) => (await plugin.call('ask', input)).text()),
    );
    assert.deepEqual(texts, ['later: a', 'later: b', 'later: c']);
    await plugin.close();
  });

  it('that rejects fails its call', async () => {
    const ask = async (): Promise<never> => {
      throw new Error('database is gone');
    };
    await assertFails(await create(ask), 'ask', 'INTERNAL');
  });

  it('that settles with what its type has not is to blame itself', async () => {
    await assertFails(await create(async () => 'text'), 'ask', 'INTERNAL');
  });

  it('that never settles is given up at the deadline', async () => {
    await assertFails(await create(async () => new Promise(() => {}), 50), 'ask', 'CALL_DEADLINE');
  });
});
