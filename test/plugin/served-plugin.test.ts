/** One plugin as a worker serves it: whose data comes back, what is told, what a crash leaves behind. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import createPlugin, { type Plugin } from '@extism/extism';
import { type Job, Lock } from '../../src/lock/lock.ts';
import type { ServedPlugin } from '../../src/plugin/served-plugin.ts';
import { exampleWasm } from '../helpers/paths.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { call, Ear, servePlugin, Witness, withPlugin } from './fixture.ts';
import { assembleManifest, STATEFUL } from './guests.ts';

const CALLS = 10_000;
const STATE = { manifest: assembleManifest(STATEFUL) };
const FUNCTIONS = ['mark', 'read', 'trap', 'fail'];

describe('calls released in one turn of the event loop', () => {
  const answers: [name: string, expected: (id: string) => string][] = [
    ['echo', (id) => id],
    ['hello', (id) => `{"message":"🦀 Hello ${id}"}`],
  ];
  for (const [name, expected] of answers) {
    it(`get their own data, ${CALLS} of them from ${name}`, async () => {
      const plugin = { wasm: exampleWasm(name), queue: { max: CALLS, waitMs: 9000 } };
      await withPlugin(plugin, [name], async (served) => {
        const ids = Array.from(
          { length: CALLS },
          (_, index) => `id-${index}-${'x'.repeat(index % 50)}`,
        );
        const calls = ids.map((id) => call(served, name, id));
        assert.equal(served.waiters(), CALLS);
        const outputs = await Promise.all(calls);
        const wrong = outputs.filter((output, index) => output !== expected(ids[index] ?? ''));
        assert.deepEqual(wrong, []);
      });
    });
  }

  it('get the data of others from the SDK where every permit is granted at once', async () => {
    const wasm = [{ data: readFileSync(exampleWasm('echo')) }];
    const plugin = await createPlugin({ wasm }, { useWasi: false, functions: {} });
    const PERMITS = 100;
    let wrong = 0;
    const lock = new Lock<Plugin>({
      permits: Array.from({ length: PERMITS }, () => plugin),
      maxWaiters: PERMITS,
      waitMs: 10_000,
      drainBudgetMs: 1000,
      clock: () => performance.now(),
      observer: { acquired() {}, released() {}, refused() {} },
    });
    for (let id = 0; id < PERMITS; id++) {
      const job: Job<Plugin> = {
        run: async (permit) => {
          const output = await permit.call('echo', `id-${id}`);
          if (output?.text() !== `id-${id}`) wrong++;
        },
        released: () => {},
        refuse: (code) => assert.fail(code),
      };
      lock.submit(job);
    }
    await lock.idle();
    await plugin.close();
    assert.ok(wrong > 0, 'the SDK now keeps overlapping calls apart');
  });
});

describe('an instance that trapped', () => {
  it('is replaced before the next caller, who was queued behind the trap, gets the permit', async () => {
    await withPlugin(STATE, FUNCTIONS, async (served) => {
      const witness = new Witness();
      const states: unknown[] = [];
      witness.onReleased = () => states.push(served.instances());
      served.observe(witness);
      const order = [
        'mark',
        'read',
        'trap',
        'read',
        'trap',
        'trap',
        'read',
        'fail',
        'mark',
        'read',
      ];
      const endings = await Promise.all(order.map((name) => call(served, name)));
      assert.deepEqual(endings, [
        '',
        '1',
        'PLUGIN_TRAPPED',
        '0',
        'PLUGIN_TRAPPED',
        'PLUGIN_TRAPPED',
        '0',
        'PLUGIN_ERROR',
        '',
        '1',
      ]);
      await waitFor('the last permit', () => states.length === order.length);
      assert.deepEqual(states, Array(order.length).fill({ starting: 0, ready: 1, poisoned: 0 }));
    });
  });

  it('costs nobody else anything, a hundred times', async () => {
    await withPlugin({ ...STATE, queue: { max: 1000 } }, FUNCTIONS, async (served) => {
      const names = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? 'trap' : 'read'));
      const endings = await Promise.all(names.map((name) => call(served, name)));
      for (const [index, ending] of endings.entries()) {
        assert.equal(ending, index % 2 === 0 ? 'PLUGIN_TRAPPED' : '0');
      }
    });
  });

  it('is not what a reported error makes of it: its state stays', async () => {
    await withPlugin(STATE, FUNCTIONS, async (served) => {
      const endings = await Promise.all(['mark', 'fail', 'read'].map((name) => call(served, name)));
      assert.deepEqual(endings, ['', 'PLUGIN_ERROR', '1']);
    });
  });
});

describe('an instance whose output cannot be taken', () => {
  const endings: [code: string, body: string][] = [
    ['PLUGIN_LIMIT', '(call $output_set (call $alloc (i64.const 2000)) (i64.const 2000))'],
    ['PLUGIN_BAD_OUTPUT', '(call $output_set (i64.const 5) (i64.const 9))'],
  ];
  for (const [code, body] of endings) {
    for (const execution of ['inline', 'thread']) {
      it(`is replaced: ${code}, ${execution}`, async () => {
        const guest = `(func (export "spoil") (result i32)
          (global.set $mark (i32.const 49)) ${body} (i32.const 0))`;
        const manifest = assembleManifest(`${STATEFUL.slice(0, -1)} ${guest})`);
        const plugin = { manifest, execution, memory: { maxOutputBytes: 1000 } };
        await withPlugin(plugin, ['spoil', 'read'], async (served) => {
          const witness = new Witness();
          served.observe(witness);
          for (let round = 0; round < 2; round++) {
            assert.equal(await call(served, 'spoil'), code);
            assert.equal(await call(served, 'read'), '0');
          }
          assert.deepEqual(witness.replacements, ['poisoned', 'poisoned']);
        });
      });
    }
  }
});

describe('an instance whose input was too large', () => {
  it('stays: nothing has run', async () => {
    const plugin = { ...STATE, memory: { maxPages: 3 } };
    await withPlugin(plugin, FUNCTIONS, async (served) => {
      await call(served, 'mark');
      assert.equal(await call(served, 'read', 'x'.repeat(200_000)), 'PLUGIN_LIMIT');
      assert.equal(await call(served, 'read'), '1');
    });
  });
});

describe('the observer', () => {
  it('is told each request once with how it ended, as is its listener', async () => {
    const slow = { wasm: exampleWasm('slow'), timeoutMs: 4900, queue: { max: 3, waitMs: 200 } };
    await withPlugin(slow, ['slow'], async (served) => {
      const witness = new Witness();
      served.observe(witness);
      const submit = (input: string): { ear: Ear; cancel: () => boolean } => {
        const ear = new Ear();
        const ticket = served.call('slow', Buffer.from(input), ear);
        return { ear, cancel: () => ticket.cancel() };
      };
      // Runs some 600 ms, by when who waits has waited too long; the third leaves, for the last there is no place.
      const requests = ['60000', '1', '1', '1', '1'].map(submit);
      assert.equal(requests[2]?.cancel(), true);
      assert.equal(requests[2].cancel(), false);
      const ears = requests.map(({ ear }) => ear);
      const codes = (await Promise.all(ears.map((ear) => ear.ended))).map((ending) =>
        'error' in ending ? ending.error.code : 'ok',
      );
      assert.deepEqual(codes, [
        'ok',
        'WAIT_DEADLINE',
        'CLIENT_CLOSED',
        'WAIT_DEADLINE',
        'QUEUE_FULL',
      ]);
      assert.deepEqual(witness.outcomes.toSorted(), codes.toSorted());
      assert.deepEqual(
        ears.map(({ endings }) => endings),
        ears.map(() => 1),
      );
      assert.equal(requests[0]?.cancel(), false);
      assert.deepEqual([witness.waits, witness.holds, witness.refusals], [1, 1, 4]);
    });
  });

  it('is told the error of a plugin and a trap, with the name of the function', async () => {
    await withPlugin(STATE, FUNCTIONS, async (served) => {
      const witness = new Witness();
      served.observe(witness);
      for (const name of ['read', 'fail', 'trap']) await call(served, name);
      await waitFor('the last permit', () => witness.holds === 3);
      assert.deepEqual(witness.outcomes, ['ok', 'PLUGIN_ERROR', 'PLUGIN_TRAPPED']);
      assert.deepEqual(witness.functions, ['read', 'fail', 'trap']);
    });
  });
});

describe('closing', () => {
  it('refuses who waits and who comes, and may be asked for twice', async () => {
    const served = await servePlugin(STATE, FUNCTIONS);
    const witness = new Witness();
    served.observe(witness);
    const waiting = [call(served, 'read'), call(served, 'read')];
    const closing = [served.close(), served.close()];
    assert.deepEqual(await Promise.all(waiting), ['SHUTTING_DOWN', 'SHUTTING_DOWN']);
    await Promise.all(closing);
    assert.equal(await call(served, 'read'), 'SHUTTING_DOWN');
    await served.close();
    assert.deepEqual(witness.outcomes, Array(3).fill('SHUTTING_DOWN'));
    assert.equal(served.memoryBytes(), 0);
  });

  it('lets the call that holds the permit end', async () => {
    const served: ServedPlugin = await servePlugin(STATE, FUNCTIONS);
    let closing: Promise<void> | null = null;
    // Closed from within a turn that serves: one call was answered, one waits.
    const witness = new Witness();
    witness.called = () => {
      closing ??= served.close();
    };
    served.observe(witness);
    const endings = await Promise.all([call(served, 'read'), call(served, 'read')]);
    assert.deepEqual(endings, ['0', 'SHUTTING_DOWN']);
    await closing;
  });
});

describe('a served plugin', () => {
  it('says what it is', async () => {
    await withPlugin(STATE, ['read'], async (served) => {
      const { name, hash, functions, isolation, execution, timeoutMs } = served.description;
      assert.deepEqual(
        { name, functions, isolation, execution, timeoutMs },
        {
          name: 'p',
          functions: ['read'],
          isolation: 'shared',
          execution: 'inline',
          timeoutMs: 1000,
        },
      );
      assert.match(hash, /^[0-9a-f]{64}$/);
      assert.ok(served.memoryBytes() >= 65_536);
      assert.equal(served.waiters(), 0);
    });
  });

  it('counts the time its permit was held', async () => {
    await withPlugin({ wasm: exampleWasm('slow') }, ['slow'], async (served) => {
      assert.equal(served.busySeconds(), 0);
      await call(served, 'slow', '1000');
      const busy = served.busySeconds();
      assert.ok(busy > 0 && busy < 5, `${busy}`);
    });
  });
});
