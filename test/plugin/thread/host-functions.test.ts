/** Host functions of a plugin in a thread: loaded there, async ones on every engine. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPlugin } from '../../../src/plugin/create-plugin.ts';
import { CAN_SUSPEND, itWhere } from '../../helpers/engine.ts';
import { createThreaded, hostCaller, writeHostFunctions } from './guests.ts';

const FUNCTIONS = `
  async shout(context, block) {
    const text = context.read(block).text();
    await new Promise((resolve) => setTimeout(resolve, 5));
    context.setVariable('last', text);
    return context.store(text.toUpperCase() + '!' + context.getVariable('last').text());
  },
  async who(context) { return context.store(JSON.stringify(context.hostContext() ?? 'nobody')); },
  async fail() { throw new Error('no such thing'); },
  async tooMuch(context) { context.setVariable('v', 'x'.repeat(1000)); return 0n; },
  async keep(context) { globalThis.kept = context; return 0n; },
  async late() {
    try { globalThis.kept.store('late'); } catch { return 0n; }
    throw new Error('it was let in');
  },`;
const NAMES = ['shout', 'who', 'fail', 'tooMuch', 'keep', 'late'];

describe('host functions in a thread', () => {
  it('may be async: the guest waits, and the call’s context is at hand', async (t) => {
    const plugin = await createThreaded(t, {
      wasm: await hostCaller(...NAMES),
      hostFunctionsFile: writeHostFunctions(t, FUNCTIONS),
      memory: { maxVarBytes: 500 },
    });
    for (let count = 0; count < 20; count++) {
      assert.equal((await plugin.call('shout', `abc${count}`)).text(), `ABC${count}!abc${count}`);
    }
    const who = await plugin.call('who', '', { hostContext: { user: 7 } });
    assert.deepEqual(who.json(), { user: 7 });
    assert.equal((await plugin.call('who', '')).json(), 'nobody');
    await assert.rejects(plugin.call('fail'), { code: 'INTERNAL', message: 'no such thing' });
    await assert.rejects(plugin.call('tooMuch'), { code: 'PLUGIN_LIMIT' });
    assert.equal((await plugin.call('shout', 'x')).text(), 'X!x');
  });

  // Where the engine can suspend they run in the guest's own thread.
  itWhere(!CAN_SUSPEND)('have their context for as long as they run', async (t) => {
    const plugin = await createThreaded(t, {
      wasm: await hostCaller(...NAMES),
      hostFunctionsFile: writeHostFunctions(t, FUNCTIONS),
    });
    await plugin.call('keep');
    await plugin.call('late');
  });

  it('are given as a file: functions cannot go to a thread', async () => {
    const wasm = await hostCaller('shout');
    await assert.rejects(
      createPlugin({ wasm, execution: 'thread', hostFunctions: { host: { shout: () => 0n } } }),
      { code: 'CONFIG_INVALID' },
    );
  });

  it('that cannot be loaded are the error of the plugin’s start', async (t) => {
    const wasm = await hostCaller('shout');
    const create = (hostFunctionsFile: string) =>
      createPlugin({ wasm, execution: 'thread', hostFunctionsFile });
    await assert.rejects(create('/nowhere/host.mjs'), { code: 'CONFIG_NOT_FOUND' });
    const file = writeHostFunctions(t, 'shout: 7');
    await assert.rejects(create(file), { code: 'CONFIG_INVALID' });
    const other = writeHostFunctions(t, 'whisper() {}');
    await assert.rejects(create(other), { code: 'PLUGIN_COMPILE_FAILED' });
  });

  it('take what their caller hands along only where it is data', async (t) => {
    const plugin = await createThreaded(t, {
      wasm: await hostCaller('who'),
      hostFunctionsFile: writeHostFunctions(
        t,
        'who(context) { return context.store(JSON.stringify(context.hostContext() ?? 0)); }',
      ),
    });
    await assert.rejects(plugin.call('who', '', { hostContext: () => {} }), {
      code: 'BAD_REQUEST',
    });
    assert.equal((await plugin.call('who')).json(), 0);
    assert.equal((await plugin.call('who', '', { hostContext: 'x' })).json(), 'x');
    assert.equal((await plugin.call('who')).json(), 0);
  });

  itWhere(!CAN_SUSPEND)('that are async need a thread', async (t) => {
    await assert.rejects(
      createPlugin({
        wasm: await hostCaller('shout'),
        hostFunctionsFile: writeHostFunctions(t, 'async shout() { return 0n; }'),
      }),
      { code: 'CONFIG_INVALID' },
    );
  });
});
