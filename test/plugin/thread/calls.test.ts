/** A plugin in a thread answers as one that runs inline, whatever the size, and never with another's data. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createPlugin } from '../../../src/plugin/create-plugin.ts';
import type { GuestLine } from '../../../src/plugin/engine-environment.ts';
import { RING_BYTES } from '../../../src/plugin/thread/call-memory.ts';
import { shortOrLong } from '../../helpers/long-form.ts';
import { exampleWasm } from '../../helpers/paths.ts';
import { assembleGuest } from '../../helpers/wat.ts';
import { createThreaded, ECHO, ECHO_IMPORTS, OK } from './guests.ts';

/** Deterministic, so that a failure can be looked at again. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('a plugin in a thread', () => {
  for (const [example, name, input, wasi] of [
    ['hello', 'hello', '😄 Bob Morane', false],
    ['hello-rust', 'hello', 'Bob', false],
    ['echo', 'echo', 'echo', false],
    ['count-vowels', 'count_vowels', 'Hello, World!', false],
    ['hello-go', 'hello', 'Bob', true],
  ] as const) {
    it(`answers as inline: ${example}`, async (t) => {
      const wasm = exampleWasm(example);
      const inline = await createPlugin({ wasm, wasi, timeoutMs: 20_000 });
      const threaded = await createThreaded(t, { wasm, wasi });
      assert.deepEqual(threaded.functions, inline.functions);
      for (let count = 0; count < 3; count++) {
        const expected = (await inline.call(name, input)).text();
        assert.equal((await threaded.call(name, input)).text(), expected);
      }
      await inline.close();
    });
  }

  it('never gives one caller what is another one’s: a pool of 3, 1,000 calls at a time', async (t) => {
    const plugin = await createThreaded(t, {
      wasm: exampleWasm('echo'),
      isolation: 'pool',
      poolSize: 3,
    });
    for (let round = 0; round < shortOrLong(2, 20); round++) {
      const inputs = Array.from({ length: 1_000 }, (_, index) => `${round}:${index}`.repeat(index));
      const outputs = await Promise.all(
        inputs.map(async (input) => (await plugin.call('echo', input)).text()),
      );
      assert.deepEqual(outputs, inputs);
    }
  });

  it('takes inputs and gives outputs of any size, in shared memory or beside it', async (t) => {
    const plugin = await createThreaded(t, {
      wasm: await assembleGuest(ECHO_IMPORTS, ECHO),
      memory: { maxPages: 2048, maxOutputBytes: 16_000_000 },
    });
    const sizes = [0, 1, RING_BYTES - 1, RING_BYTES, RING_BYTES + 1, 5_000_000, 2, 0, 70_000, 3];
    const random = randomNumbers(7);
    for (const size of sizes) {
      const input = Uint8Array.from({ length: size }, () => random() * 256);
      const output = await plugin.call('echo', input);
      assert.equal(Buffer.compare(output.bytes(), input), 0, `${size} bytes`);
      assert.equal(input.length, size, 'the input is still its owner’s');
    }
  });

  it('does not take the buffer that an input lies in', async (t) => {
    const plugin = await createThreaded(t, { wasm: exampleWasm('echo') });
    const buffer = Buffer.alloc(200_000, 'a');
    await plugin.call('echo', buffer.subarray(10, 150_000));
    assert.equal(buffer.length, 200_000);
  });

  it('tells errors with code, text and facts', async (t) => {
    const plugin = await createThreaded(t, {
      wasm: await assembleGuest(
        ['alloc', 'output_set'],
        `(memory 1) ${OK}
        (func (export "trap") (result i32) unreachable)
        (func (export "seven") (result i32) (i32.const 7))
        (func (export "large") (result i32)
          (call $output_set (call $alloc (i64.const 2000)) (i64.const 2000)) (i32.const 0))`,
      ),
      memory: { maxOutputBytes: 1000 },
    });
    await assert.rejects(plugin.call('trap'), { code: 'PLUGIN_TRAPPED' });
    await assert.rejects(plugin.call('seven'), { code: 'PLUGIN_ERROR', details: { exitCode: 7 } });
    await assert.rejects(
      plugin.call('large'),
      ({ code, details }) => code === 'PLUGIN_LIMIT' && details.limit === 'memory.maxOutputBytes',
    );
    await assert.rejects(plugin.call('none'), { code: 'FUNCTION_NOT_EXPORTED' });
    assert.equal((await plugin.call('ok')).byteLength, 0);
  });

  it('hands its lines on before its output, and no more of them than inline', async (t) => {
    const lines: GuestLine[] = [];
    const plugin = await createThreaded(t, {
      name: 'talker',
      wasm: await assembleGuest(
        ['alloc', 'store_u8', 'log_error'],
        `(memory 1)
        (func $say (local $line i64)
          (local.set $line (call $alloc (i64.const 1)))
          (call $store_u8 (local.get $line) (i32.const 65))
          (call $log_error (local.get $line)))
        (func (export "once") (result i32) (call $say) (i32.const 0))
        (func (export "bomb") (result i32) (loop $again (call $say) (br $again)) (i32.const 0))`,
      ),
      onGuestLine: (line) => lines.push(line),
    });
    for (let count = 1; count <= 50; count++) {
      await plugin.call('once');
      assert.equal(lines.length, count);
    }
    assert.deepEqual(lines[0], {
      plugin: 'talker',
      source: 'log',
      level: 'error',
      message: 'A',
      truncatedBytes: 0,
    });
    await assert.rejects(plugin.call('bomb'), { code: 'PLUGIN_LIMIT' });
    assert.equal(lines.length, 1050);
  });

  it('keeps nothing between the calls of isolation fresh, by either way', async (t) => {
    const counter = readFileSync(exampleWasm('counter'));
    const plugin = await createThreaded(t, { wasm: counter, isolation: 'fresh' });
    for (let count = 0; count < 10; count++) {
      assert.equal((await plugin.call(plugin.functions[0] as string)).text(), '1');
    }
    const go = await createThreaded(t, {
      wasm: exampleWasm('hello-go'),
      wasi: true,
      isolation: 'fresh',
    });
    for (let count = 0; count < 5; count++) {
      assert.match((await go.call('hello', 'Bob')).text(), /Bob/);
    }
  });

  it('keeps its state between the calls of isolation shared', async (t) => {
    const plugin = await createThreaded(t, { wasm: exampleWasm('counter') });
    const name = plugin.functions[0] as string;
    const counts = [];
    for (let count = 0; count < 3; count++) counts.push((await plugin.call(name)).text());
    assert.deepEqual(counts, ['1', '2', '3']);
  });

  // Seen failing: with a caller that does not say anew that it sleeps after each message, and with
  // a callee that falls asleep without a second look, a call waits until its deadline.
  it('loses no wake-up, whenever either side falls asleep', async (t) => {
    const plugin = await createThreaded(t, { wasm: exampleWasm('echo') });
    const random = randomNumbers(Date.now() % 2 ** 32);
    const work = (us: number): void => {
      const endsAt = performance.now() + us / 1000;
      while (performance.now() < endsAt);
    };
    let longest = 0;
    for (let count = 0; count < shortOrLong(20_000, 500_000); count++) {
      const startedAt = performance.now();
      const output = await plugin.call('echo', String(count));
      longest = Math.max(longest, performance.now() - startedAt);
      assert.equal(output.text(), String(count));
      if (random() < 0.5) work(random() * 60);
      else if (random() < 0.1) await nextTurn();
    }
    t.diagnostic(`longest call ${longest.toFixed(1)} ms`);
    assert.ok(longest < 15_000, `a call took ${longest} ms`);
  });
});
