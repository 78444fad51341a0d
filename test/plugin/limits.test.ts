/** A greedy guest gets an error, quickly, and the next call is right. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPlugin } from '../../src/plugin/create-plugin.ts';
import { assembleGuest } from '../helpers/wat.ts';
import { assembleHostile, BOMBS } from './hostile-guests.ts';

const MAX_PAGES = 160;
/** No bomb takes a second of a machine's time, but a busy machine can make it more. */
const TIMEOUT_MS = 30_000;
/** Above the limit itself, for code and garbage of the run; without limits each bomb takes more. */
const SLACK_BYTES = 64 * 1024 * 1024;

describe('a greedy guest', () => {
  for (const hostile of BOMBS) {
    it(`is stopped: ${hostile.name}`, async (context) => {
      const { wasi = false } = hostile;
      const wasm = await assembleHostile(hostile);
      const plugin = await createPlugin({
        wasm,
        wasi,
        memory: { maxPages: MAX_PAGES },
        timeoutMs: TIMEOUT_MS,
      });
      await plugin.call('ok');
      const before = process.memoryUsage.rss();
      for (let round = 0; round < 3; round++) {
        const startedAt = performance.now();
        await assert.rejects(plugin.call('run'), { code: 'PLUGIN_LIMIT' });
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
      `(memory 1) (func (export "ok") (result i32) (i32.const 0))
      (func (export "run") (result i32)
        (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (i32.const 0))
      (func (export "most") (result i32) (memory.grow (i32.const 100)) (i32.const 0) (i32.lt_s))`,
    );
    const plugin = await createPlugin({
      wasm: guest,
      memory: { maxPages: MAX_PAGES },
      timeoutMs: TIMEOUT_MS,
    });
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
    const guest = await assembleGuest([], '(memory 161)');
    const loading = createPlugin({
      wasm: guest,
      memory: { maxPages: MAX_PAGES },
      timeoutMs: TIMEOUT_MS,
    });
    await assert.rejects(loading, { code: 'PLUGIN_COMPILE_FAILED' });
  });
});
