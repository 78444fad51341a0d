/** Real plugins do the same, guarded: every call into the host, with every value, is compared. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { guardModule } from '../../../src/plugin/guard/guard.ts';
import { type AnyFunction, OPTIONS, putCheck } from './guarded-instance.ts';
import { realModules } from './real-modules.ts';
import { StubHost } from './stub-host.ts';

const INPUTS = [
  '',
  'Bob',
  '😄 Bob Morane "quoted" \\ aeiou',
  '{"body":"x","method":"GET","uri":"/"}',
];
const FUEL = 1_000_000;
/** Enough for every plugin but those that run for ever, which are not run unguarded. */
const MAX_CHECKS = 300;
/** In the order of their running. A plain module has run its start function by itself. */
const RUN_FIRST = ['start', '__wasm_call_ctors', '_initialize'];

interface Run {
  readonly trace: readonly string[];
  readonly checks: number;
}

/** Calls one export in an instance of its own. `prefix` is that of the exports renamed. */
function run(module: WebAssembly.Module, prefix: string, name: string, input: string): Run {
  const host = new StubHost(module, Buffer.from(input));
  let checks = 0;
  try {
    const { exports } = new WebAssembly.Instance(module, host.imports);
    host.guestMemory = exports[`${prefix}memory`] as WebAssembly.Memory | undefined;
    if (prefix !== '') {
      putCheck(exports, () => {
        checks += 1;
        return checks > MAX_CHECKS ? 0 : FUEL;
      });
    }
    for (const first of RUN_FIRST) {
      if (prefix === '' && first === 'start') continue;
      (exports[prefix + first] as AnyFunction | undefined)?.();
    }
    host.trace.push(`returned ${(exports[name] as AnyFunction)()}`);
    host.trace.push(`memory of ${host.guestMemory?.buffer.byteLength} bytes`);
  } catch (error) {
    host.trace.push(String(error));
  }
  return { trace: host.trace, checks };
}

describe('a real plugin does the same when it is guarded', () => {
  const modules = realModules();
  it('of which there are some', () => {
    assert.ok(modules.length > 5);
  });
  for (const { name: file, bytes } of modules) {
    it(file, () => {
      const guarded = guardModule(bytes, { ...OPTIONS, maxMemoryPages: 65_536 });
      assert.ok(guarded.imports.every(({ kind }) => kind === 'function'));
      const plain = new WebAssembly.Module(bytes);
      for (const { name, exportName, params } of guarded.functions) {
        if (params.length > 0 || name === '_initialize' || name === '__wasm_call_ctors') continue;
        for (const input of INPUTS) {
          const { trace, checks } = run(guarded.module, 'plugind:', exportName, input);
          if (checks > MAX_CHECKS) continue;
          assert.deepEqual(trace, run(plain, '', name, input).trace, `${name} of ${input}`);
        }
      }
    });
  }
});
