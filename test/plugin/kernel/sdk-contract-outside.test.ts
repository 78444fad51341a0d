/**
 * What @extism/extism does today towards files, HTTP, threads and host functions that the engine
 * works round; the rest is in sdk-contract.test.ts. One that fails after an upgrade shows what changed.
 */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import createPlugin from '@extism/extism';
import { ServerError } from '../../../src/errors.ts';
import { createPlugin as createOurs } from '../../../src/plugin/create-plugin.ts';
import { assemble as assembleBytes } from '../guard/assemble.ts';
import { CAN_LIST_DESCRIPTORS, createDirectory, openIn } from '../wasi/test-guest.ts';
import { ECHO } from './guests.ts';
import { assemble } from './linked.ts';

const ENV = 'extism:host/env';
const ECHO_MODULE = assemble(ECHO);
/** The SDK sets WASI up for a module that imports it. */
const WASI_IMPORT = `(import "wasi_snapshot_preview1" "fd_prestat_get"
  (func $prestat (param i32 i32) (result i32)))`;
const WASI_GUEST = `(module ${WASI_IMPORT} (memory (export "memory") 1))`;

function item(module: WebAssembly.Module, name = 'main'): { name: string; module: never } {
  return { name, module: module as never };
}

/** Serves bytes and notes who asked. */
async function serveBytes(bytes: Uint8Array): Promise<{
  url: string;
  requests: IncomingMessage[];
  close: () => void;
}> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    response.setHeader('content-type', 'application/wasm');
    response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/plugin.wasm`,
    requests,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const OUTPUT_OF_4 = `(module
  (import "${ENV}" "alloc" (func $alloc (param i64) (result i64)))
  (import "${ENV}" "output_set" (func $output_set (param i64 i64)))
  (func (export "run") (result i32)
    (call $output_set (call $alloc (i64.const 1)) (i64.const 4)) (i32.const 0)))`;

describe('SDK: what a manifest says of URLs (1.3)', () => {
  it('asks for a URL without the headers and the method it is given', async () => {
    const bytes = Buffer.from('0061736d01000000', 'hex');
    const server = await serveBytes(bytes);
    try {
      const source = { url: server.url, method: 'POST', headers: { 'x-token': 'secret' } };
      await createPlugin({ wasm: [source as never] });
      const [request] = server.requests;
      assert.deepEqual([request?.method, request?.headers['x-token']], ['GET', undefined]);
    } finally {
      server.close();
    }
  });
});

describe('SDK: calls in a worker (1.4)', () => {
  it('are refused while another one runs', async () => {
    const plugin = await createPlugin({ wasm: [item(ECHO_MODULE)] }, { runInWorker: true });
    try {
      const [first, second] = await Promise.allSettled([
        plugin.call('echo', 'a'),
        plugin.call('echo', 'b'),
      ]);
      assert.deepEqual([first?.status, second?.status], ['fulfilled', 'rejected']);
    } finally {
      await plugin.close();
    }
  });
});

describe('SDK: HTTP (1.5)', () => {
  it('leaves redirects to fetch, and sets no time limit', async () => {
    const options: (RequestInit | undefined)[] = [];
    const fetch = (async (_url: unknown, init?: RequestInit) => {
      options.push(init);
      return new Response('x');
    }) as typeof globalThis.fetch;
    const guest = assemble(`(module
      (import "${ENV}" "input_offset" (func $input (result i64)))
      (import "${ENV}" "http_request" (func $http (param i64 i64) (result i64)))
      (func (export "run") (drop (call $http (call $input) (i64.const 0)))))`);
    const plugin = await createPlugin(
      { wasm: [item(guest)] },
      { functions: {}, runInWorker: true, fetch, allowedHosts: ['allowed.test'] },
    );
    try {
      await plugin.call('run', JSON.stringify({ url: 'http://allowed.test/' }));
      const [init] = options;
      assert.deepEqual([init?.redirect, init?.signal], [undefined, undefined]);
    } finally {
      await plugin.close();
    }
  });
});

const skip = !CAN_LIST_DESCRIPTORS && 'this system does not list descriptors in /proc/self/fd';

describe('SDK: WASI (1.7)', { skip }, () => {
  it('has its option lead from the guest to the host (1.3), and keeps those directories open until it is closed', async () => {
    const directory = createDirectory();
    const plugin = await createPlugin(
      { wasm: [item(assemble(WASI_GUEST))] },
      { useWasi: true, allowedPaths: { '/data': directory } },
    );
    assert.equal(openIn(directory).length, 1);
    await plugin.close();
  });

  it('are opened by ours when the plugin first uses them, and closed with it', async () => {
    const directory = createDirectory();
    const plugin = await createOurs({
      wasm: assembleBytes(WASI_GUEST),
      wasi: true,
      allowedPaths: { [directory]: '/data' },
    });
    assert.deepEqual(openIn(directory), []);
    await plugin.close();
  });
});

describe('SDK: output past the end of its block (1.8, 1.12)', () => {
  it('throws in the guest, where ours fails the call with PLUGIN_BAD_OUTPUT', async () => {
    const plugin = await createPlugin({ wasm: [item(assemble(OUTPUT_OF_4))] });
    await assert.rejects(plugin.call('run'), (thrown) => !(thrown instanceof ServerError));
    const ours = await createOurs({ wasm: assembleBytes(OUTPUT_OF_4) });
    await assert.rejects(ours.call('run'), { code: 'PLUGIN_BAD_OUTPUT' });
    await ours.close();
  });
});

describe('SDK: initialising linked items (1.9)', () => {
  const COUNTER = assemble(`(module
    (global $n (mut i32) (i32.const 0))
    (func (export "_initialize") (global.set $n (i32.add (global.get $n) (i32.const 1))))
    (func (export "count") (result i32) (global.get $n)))`);
  const MAIN = `(import "counter" "count" (func $count (result i32))) (export "count" (func $count))`;

  async function countOf(main: WebAssembly.Module): Promise<number> {
    const wasm = [item(COUNTER, 'counter'), item(main)];
    const plugin = await createPlugin({ wasm }, { useWasi: true });
    const instance = (await plugin.getInstance()) as unknown as { exports: { count(): number } };
    const count = instance.exports.count();
    // Or Node 26 raises an uncaughtException for the files that WASI opened (1.7).
    await plugin.close();
    return count;
  }

  it('runs _initialize of an item, which is why guests are given to it with that renamed', async () => {
    assert.equal(await countOf(assemble(`(module ${MAIN})`)), 1);
  });

  it('never runs _start of a main module with WASI', async () => {
    const main = assemble(`(module ${WASI_IMPORT} ${MAIN}
      (memory (export "memory") 1)
      (func (export "_start") (unreachable)))`);
    assert.equal(await countOf(main), 1);
  });
});

describe('SDK: host functions (1.10)', () => {
  const GUEST = assemble(`(module
    (import "app" "f" (func $f (param i64) (result i64)))
    (func (export "run") (drop (call $f (i64.const 7)))))`);

  it('get its call context first, then what the guest passed', async () => {
    const seen: unknown[] = [];
    const f = (context: { read: unknown }, value: bigint): bigint => {
      seen.push(typeof context.read, value);
      return 0n;
    };
    const plugin = await createPlugin({ wasm: [item(GUEST)] }, { functions: { app: { f } } });
    await plugin.call('run');
    assert.deepEqual(seen, ['function', 7n]);
  });

  it('may be async only where the engine can suspend', async () => {
    const f = async (): Promise<bigint> => 0n;
    const creating = createPlugin({ wasm: [item(GUEST)] }, { functions: { app: { f } } });
    if (WebAssembly.Suspending === undefined) await assert.rejects(creating, TypeError);
    else await creating;
  });

  it('that throw are the error of the call as they are, without a code', async () => {
    const f = (): never => {
      throw new Error('database is gone');
    };
    const plugin = await createPlugin({ wasm: [item(GUEST)] }, { functions: { app: { f } } });
    const thrown: unknown = await plugin.call('run').catch((reason: unknown) => reason);
    assert.ok(thrown instanceof Error && !('code' in thrown));
  });
});
