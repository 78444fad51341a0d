/** A call that ends at a limit tells the observer which, once; any other end tells none. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { exampleWasm } from '../helpers/paths.ts';
import { assembleGuest } from '../helpers/wat.ts';
import { call, Witness, withPlugin } from './fixture.ts';

const GUESTS: readonly {
  readonly limit: string;
  readonly outcome: string;
  readonly imports: readonly string[];
  readonly body: string;
}[] = [
  {
    limit: 'timeoutMs',
    outcome: 'CALL_DEADLINE',
    imports: [],
    body: '(loop $again (br $again))',
  },
  {
    limit: 'memory.maxPages',
    outcome: 'PLUGIN_LIMIT',
    imports: ['alloc'],
    body: '(loop $again (drop (call $alloc (i64.const 65536))) (br $again))',
  },
  {
    limit: 'memory.maxVarBytes',
    outcome: 'PLUGIN_LIMIT',
    imports: ['alloc', 'var_set'],
    body: `(call $var_set (call $alloc (i64.const 8)) (call $alloc (i64.const 2000)))`,
  },
  {
    limit: 'memory.maxOutputBytes',
    outcome: 'PLUGIN_LIMIT',
    imports: ['alloc', 'output_set'],
    body: `(call $output_set (call $alloc (i64.const 2000)) (i64.const 2000))`,
  },
  {
    limit: 'maxLogLines',
    outcome: 'PLUGIN_LIMIT',
    imports: ['alloc', 'log_info'],
    body: '(loop $again (call $log_info (call $alloc (i64.const 9))) (br $again))',
  },
];

const MEMORY = { maxPages: 160, maxVarBytes: 1000, maxOutputBytes: 1000 };

for (const { limit, outcome, imports, body } of GUESTS) {
  it(`tells of ${limit}`, async () => {
    const wat = `(func (export "run") (result i32) ${body} (i32.const 0))
      (func (export "ok") (result i32) (i32.const 0))`;
    const data = Buffer.from(await assembleGuest(imports, wat)).toString('base64');
    const plugin = { manifest: { wasm: [{ data }] }, memory: MEMORY, timeoutMs: 300 };
    await withPlugin(plugin, ['run', 'ok'], async (served) => {
      const witness = new Witness();
      served.observe(witness);
      for (const name of ['run', 'ok', 'run']) await call(served, name);
      assert.deepEqual(witness.outcomes, [outcome, 'ok', outcome]);
      assert.deepEqual(witness.limits, [limit, limit]);
    });
  });
}

it('tells of no limit where none was met', async () => {
  const trap = { wasm: exampleWasm('trap'), queue: { max: 1 } };
  await withPlugin(trap, ['trap', 'ok'], async (served) => {
    const witness = new Witness();
    served.observe(witness);
    await Promise.all(['trap', 'ok', 'ok'].map((name) => call(served, name)));
    assert.deepEqual(witness.outcomes.sort(), ['PLUGIN_TRAPPED', 'QUEUE_FULL', 'ok']);
    assert.deepEqual(witness.limits, []);
  });
});
