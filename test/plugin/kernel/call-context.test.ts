/** The call context that an embedder's host functions get: the SDK's names and shapes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CallContext } from '../../../src/plugin/kernel/call-context.ts';
import { createTestKernel, type TestKernel, type TestKernelOptions } from './linked.ts';

function createContext(options?: TestKernelOptions): { test: TestKernel; context: CallContext } {
  const test = createTestKernel(options);
  test.begin();
  return { test, context: new CallContext(test.kernel, test.host.vars) };
}

describe('CallContext', () => {
  it("has every member of the SDK's", () => {
    const { context } = createContext();
    const members: Record<string, string> = {
      hostContext: 'function',
      alloc: 'function',
      getVariable: 'function',
      setVariable: 'function',
      deleteVariable: 'function',
      read: 'function',
      store: 'function',
      length: 'function',
      setError: 'function',
      logLevel: 'string',
    };
    for (const [name, type] of Object.entries(members)) {
      assert.equal(typeof context[name as keyof CallContext], type, name);
    }
  });

  it('reads a block as text, JSON, bytes and DataView', () => {
    const { test, context } = createContext();
    const output = context.read(test.text('{"name":"Ådne"}'));
    assert.ok(output !== null);
    assert.equal(output.text(), '{"name":"Ådne"}');
    assert.equal(output.string(), output.text());
    assert.deepEqual(output.json(), { name: 'Ådne' });
    assert.deepEqual(output.bytes(), new Uint8Array(Buffer.from('{"name":"Ådne"}')));
    assert.equal(output.arrayBuffer().byteLength, output.byteLength);
    assert.equal(output.getUint8(0), '{'.charCodeAt(0));
  });

  it('reads null where no block begins', () => {
    const { test, context } = createContext();
    const block = test.text('abc');
    const freed = context.store('def');
    context.free(freed);
    for (const address of [0n, 1n, block + 1n, freed, -1n, 1n << 40n, 2 ** 53, -5, Number.NaN]) {
      assert.equal(context.read(address), null, String(address));
      assert.equal(context.length(address), 0n);
    }
    assert.equal(context.read(Number(block))?.text(), 'abc');
  });

  it('stores text and bytes where the guest can read them', () => {
    const { test, context } = createContext();
    const block = context.store('Ådne');
    assert.equal(typeof block, 'bigint');
    assert.equal(test.read(block), 'Ådne');
    assert.equal(context.length(block), 5n);
    assert.equal(test.read(context.store(Buffer.from('bytes'))), 'bytes');
    assert.equal(context.store(''), 0n);
    assert.equal(test.abi.length(context.alloc(10n)), 10n);
    assert.equal(test.abi.length(context.alloc(11)), 11n);
  });

  it('throws when the plugin may have no more memory', () => {
    const { context } = createContext({ maxHeapPages: 1 });
    assert.throws(() => context.store('x'.repeat(70_000)), { code: 'PLUGIN_LIMIT' });
    assert.equal(context.alloc(70_000), 0n);
    assert.equal(context.alloc(1n << 40n), 0n);
    assert.notEqual(context.store('small'), 0n);
  });

  it('keeps what it read when the memory grows and is wiped', () => {
    const { test, context } = createContext({ maxHeapPages: 600 });
    const output = context.read(test.text('kept'));
    context.alloc(20 << 20);
    test.begin();
    assert.equal(output?.text(), 'kept');
  });

  it('shares variables with the guest, as copies', () => {
    const { test, context } = createContext();
    test.abi.var_set(test.text('name'), test.text('guest'));
    assert.equal(context.getVariable('name')?.text(), 'guest');
    context.getVariable('name')?.bytes().fill(0);
    assert.equal(context.getVariable('name')?.text(), 'guest');
    const bytes = Buffer.from('host');
    context.setVariable('name', bytes);
    bytes.fill(0);
    assert.equal(test.read(test.abi.var_get(test.text('name'))), 'host');
    context.setVariable('other', 'text');
    context.deleteVariable('name');
    context.deleteVariable('never there');
    assert.equal(context.getVariable('name'), null);
    assert.equal(test.abi.var_get(test.text('name')), 0n);
    assert.throws(() => context.setVariable('large', 'x'.repeat(2000)), { code: 'PLUGIN_LIMIT' });
  });

  it("sets the call's error", () => {
    const { test, context } = createContext();
    context.setError('no');
    assert.throws(() => test.kernel.finish(0), { code: 'PLUGIN_ERROR', message: 'no' });
    context.setError(new Error('broken'));
    assert.throws(() => test.kernel.finish(0), { code: 'PLUGIN_ERROR', message: 'broken' });
    context.setError();
    assert.throws(() => test.kernel.finish(0), { code: 'PLUGIN_ERROR', message: '' });
  });

  it('reads and sets the log level', () => {
    const { test, context } = createContext();
    assert.equal(context.logLevel, 'silent');
    context.logLevel = 'warn';
    assert.equal(context.logLevel, 'warn');
    assert.equal(test.abi.get_log_level(), 3);
    context.logLevel = 'silent';
    assert.equal(test.abi.get_log_level(), 0x7fff_ffff);
  });
});
