/** A WASI command: each call of `_start` has an instance of its own, which is no fault of the last one. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { assemble } from '../helpers/wat.ts';
import { call, Witness, withPlugin } from './fixture.ts';

const GUEST = await assemble(`(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (memory (export "memory") 1)
  (global $runs (mut i32) (i32.const 0))
  (func (export "_start")
    (global.set $runs (i32.add (global.get $runs) (i32.const 1)))
    (if (i32.gt_u (global.get $runs) (i32.const 1)) (then (unreachable)))
    (if (i64.eq (call $input_length) (i64.const 1)) (then (call $exit (i32.const 0))))
    (if (i64.eq (call $input_length) (i64.const 2)) (then (call $exit (i32.const 7))))
    (if (i64.eq (call $input_length) (i64.const 3)) (then (unreachable))))
  (func (export "runs") (result i32) (global.get $runs)))`);
const ITEM = { data: Buffer.from(GUEST).toString('base64') };

for (const execution of ['inline', 'thread'] as const) {
  for (const isolation of ['shared', 'fresh'] as const) {
    it(`runs in an instance of its own: ${execution}, ${isolation}`, async () => {
      const plugin = { manifest: { wasm: [ITEM] }, wasi: true, execution, isolation };
      await withPlugin(plugin, ['_start', 'runs'], async (served) => {
        const witness = new Witness();
        served.observe(witness);
        assert.equal(await call(served, '_start'), '');
        assert.equal(await call(served, '_start', 'x'), '');
        assert.equal(await call(served, '_start', 'xx'), 'PLUGIN_ERROR');
        assert.equal(await call(served, 'runs'), '');
        assert.equal(await call(served, '_start'), '');
        assert.deepEqual(witness.replacements, []);
        assert.equal(await call(served, '_start', 'xxx'), 'PLUGIN_TRAPPED');
        assert.equal(await call(served, '_start'), '');
        assert.deepEqual(witness.replacements, ['poisoned']);
      });
    });
  }
}
