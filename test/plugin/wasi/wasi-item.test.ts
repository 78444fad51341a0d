/** The manifest item that hands our WASI to guests under the name they import. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GuardedImport } from '../../../src/plugin/guard/guarded-module.ts';
import {
  encodeWasiItem,
  WASI_HOST_NAMESPACE,
  WASI_ITEM,
} from '../../../src/plugin/wasi/wasi-item.ts';
import { WASI_TYPES } from '../../../src/plugin/wasi/wasi-types.ts';
import { TestGuest } from './test-guest.ts';

function wanted(name: string, more: Partial<GuardedImport> = {}): GuardedImport {
  const type = WASI_TYPES.get(name) ?? { params: [], results: [] };
  return { module: WASI_ITEM, name, kind: 'function', type, ...more };
}

describe('encodeWasiItem', () => {
  it('hands each function through, once, under its own name', () => {
    const item = encodeWasiItem([
      wanted('fd_seek'),
      wanted('other', { module: 'env' }),
      wanted('fd_write'),
      wanted('fd_seek'),
    ]);
    const module = new WebAssembly.Module(item as Uint8Array<ArrayBuffer>);
    assert.deepEqual(WebAssembly.Module.imports(module), [
      { module: WASI_HOST_NAMESPACE, name: 'fd_seek', kind: 'function' },
      { module: WASI_HOST_NAMESPACE, name: 'fd_write', kind: 'function' },
    ]);
    const seen: unknown[] = [];
    const { exports } = new WebAssembly.Instance(module, {
      [WASI_HOST_NAMESPACE]: {
        fd_seek: ((...values: unknown[]) => seen.push(...values)) as never,
        fd_write: (() => 8) as never,
      },
    });
    (exports.fd_seek as (...values: unknown[]) => number)(1, -2n, 3, 4);
    assert.deepEqual(seen, [1, -2n, 3, 4]);
    assert.equal((exports.fd_write as (...values: unknown[]) => number)(0, 0, 0, 0), 8);
  });

  it('is not there for a plugin without WASI', () => {
    assert.equal(encodeWasiItem([wanted('fd_write', { module: 'wasi_unstable' })]), null);
  });

  it('refuses what is not in WASI, or there as something else', () => {
    const imports = [
      wanted('fd_write'),
      wanted('sock_open'),
      wanted('toString'),
      wanted('fd_close', { type: { params: ['i64'], results: ['i32'] } }),
      wanted('proc_exit', { type: { params: ['i32'], results: ['i32'] } }),
      wanted('memory', { kind: 'memory', type: null }),
    ];
    assert.throws(() => encodeWasiItem(imports), {
      code: 'PLUGIN_COMPILE_FAILED',
      details: { imports: ['sock_open', 'toString', 'fd_close', 'proc_exit', 'memory'] },
    });
  });

  it('knows every function that there is, and there is every function that it knows', () => {
    const { wasi } = new TestGuest();
    assert.deepEqual(Object.keys(wasi.functions).sort(), [...WASI_TYPES.keys()].sort());
    const imports = [...WASI_TYPES.keys()].map((name) => wanted(name));
    assert.ok(encodeWasiItem(imports) instanceof Uint8Array);
  });
});
