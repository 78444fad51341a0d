/**
 * What @extism/extism does today that the engine works round. Each test asserts the SDK's own
 * behaviour: one that fails after an upgrade shows what changed and which workaround may go.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import createPlugin, { type ExtismPluginOptions, type Plugin } from '@extism/extism';
import { ECHO } from './guests.ts';
import { assemble } from './linked.ts';

const ENV = 'extism:host/env';

/** A guest of ABI imports and functions `() -> i32` by name. */
function guest(functions: Record<string, string>, extra = ''): WebAssembly.Module {
  const bodies = Object.entries(functions).map(
    ([name, body]) => `(func (export "${name}") (result i32) ${body} (i32.const 0))`,
  );
  return assemble(`(module
    (import "${ENV}" "alloc" (func $alloc (param i64) (result i64)))
    (import "${ENV}" "store_u8" (func $store_u8 (param i64 i32)))
    (import "${ENV}" "input_offset" (func $input_offset (result i64)))
    (import "${ENV}" "output_set" (func $output_set (param i64 i64)))
    (import "${ENV}" "length" (func $length (param i64) (result i64)))
    (import "${ENV}" "config_get" (func $config_get (param i64) (result i64)))
    (import "${ENV}" "var_get" (func $var_get (param i64) (result i64)))
    (import "${ENV}" "var_set" (func $var_set (param i64 i64)))
    (import "${ENV}" "log_info" (func $log_info (param i64)))
    (memory (export "memory") 1)
    ${extra}
    ${bodies.join('\n')})`);
}

function create(module: WebAssembly.Module, options: ExtismPluginOptions = {}): Promise<Plugin> {
  return createPlugin({ wasm: [{ name: 'main', module: module as never }] }, options);
}

async function output(plugin: Plugin, name: string, input = 'x'): Promise<string> {
  return (await plugin.call(name, input))?.text() ?? '';
}

const OUTPUT_BLOCK = '(call $output_set (local.get 0) (call $length (local.get 0)))';

describe('SDK: overlapping calls (1.1)', () => {
  it("give the earlier caller the later one's output", async () => {
    const plugin = await create(assemble(ECHO));
    const outputs = await Promise.all(
      ['first', 'later'].map(async (input) => output(plugin, 'echo', input)),
    );
    assert.deepEqual(outputs, ['later', 'later']);
  });
});

describe('SDK: limits of a manifest (1.3)', () => {
  it("has max_pages bound blocks, and not the guest's memory", async () => {
    const module = guest({
      grow: '(if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable))',
      alloc: '(if (i64.ne (call $alloc (i64.const 300000)) (i64.const 0)) (then unreachable))',
    });
    const plugin = await create(module, { memory: { maxPages: 4 } });
    await plugin.call('grow');
    await plugin.call('alloc');
  });

  it('ignores the time-out of a manifest', async () => {
    const wasm = [{ name: 'main', module: assemble(ECHO) as never }];
    await createPlugin({ wasm, timeoutMs: 1 });
    await assert.rejects(createPlugin({ wasm }, { timeoutMs: 1 }), TypeError);
  });

  it('refuses ro: directories', async () => {
    await assert.rejects(create(assemble(ECHO), { allowedPaths: { '/data': 'ro:.' } }));
  });
});

describe('SDK: one functions object for two plugins (1.5)', () => {
  it('hands the rights of one to the other', async () => {
    const asked: string[] = [];
    const fetch = (async (url: string) => {
      asked.push(url);
      return new Response('secret');
    }) as typeof globalThis.fetch;
    const shared = { functions: {}, runInWorker: true, fetch };
    const poor = await create(
      assemble(`(module
        (import "${ENV}" "input_offset" (func $input (result i64)))
        (import "${ENV}" "http_request" (func $http (param i64 i64) (result i64)))
        (func (export "run") (drop (call $http (call $input) (i64.const 0)))))`),
      { ...shared, allowedHosts: [] },
    );
    const rich = await create(assemble(ECHO), { ...shared, allowedHosts: ['allowed.test'] });
    try {
      await poor.call('run', JSON.stringify({ url: 'http://allowed.test/' }));
      assert.deepEqual(asked, ['http://allowed.test/']);
    } finally {
      await poor.close();
      await rich.close();
    }
  });
});

describe('SDK: after a trap (1.6)', () => {
  it('keeps a shadow stack that was never unwound, until nothing works any more', async () => {
    const enter = `(global.set $stack (i32.sub (global.get $stack) (i32.const 4096)))
      (i32.store (global.get $stack) (i32.const 1))`;
    const module = guest(
      {
        trap: `${enter} unreachable`,
        work: `${enter} (global.set $stack (i32.add (global.get $stack) (i32.const 4096)))`,
      },
      '(global $stack (mut i32) (i32.const 65536))',
    );
    const plugin = await create(module);
    for (let i = 0; i < 15; i++)
      await assert.rejects(plugin.call('trap'), WebAssembly.RuntimeError);
    await plugin.call('work');
    await assert.rejects(plugin.call('trap'));
    await assert.rejects(plugin.call('work'), WebAssembly.RuntimeError);
    await plugin.reset();
    await assert.rejects(plugin.call('work'), WebAssembly.RuntimeError);
  });

  it('rejects with something that is no Error when the guest exits', async () => {
    const module = assemble(`(module
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (func (export "run") (call $exit (i32.const 3))))`);
    const plugin = await create(module, { useWasi: true });
    const thrown: unknown = await plugin.call('run').catch((reason: unknown) => reason);
    assert.equal(typeof thrown, 'symbol');
    await plugin.close();
  });
});

describe('SDK: variables, output, config and log (1.8)', () => {
  const SET = `(call $var_set (call $key) (call $value))`;
  const HELPERS = `
    (func $key (result i64) (local i64)
      (local.set 0 (call $alloc (i64.const 1)))
      (call $store_u8 (local.get 0) (i32.const 107))
      (local.get 0))
    (func $value (result i64) (local i64)
      (local.set 0 (call $alloc (i64.const 1)))
      (call $store_u8 (local.get 0) (i32.const 65))
      (local.get 0))`;

  it('keeps variables over a reset', async () => {
    const module = guest(
      { set: SET, get: `(local i64) (local.set 0 (call $var_get (call $key))) ${OUTPUT_BLOCK}` },
      HELPERS,
    );
    const plugin = await create(module);
    await plugin.call('set');
    await plugin.reset();
    assert.equal(await output(plugin, 'get'), 'A');
  });

  it('gives a variable as a view that writes through', async () => {
    const get = `(local i64) (local.set 0 (call $var_get (call $key)))`;
    const module = guest(
      {
        set: SET,
        spoil: `${get} (call $store_u8 (local.get 0) (i32.const 66))`,
        get: `${get} ${OUTPUT_BLOCK}`,
      },
      HELPERS,
    );
    const plugin = await create(module);
    await plugin.call('set');
    await plugin.call('spoil');
    assert.equal(await output(plugin, 'get'), 'B');
  });

  it('does not count names in maxVarBytes', async () => {
    const module = guest({
      set: `(call $var_set (call $alloc (i64.const 100000)) (call $alloc (i64.const 1)))`,
    });
    const plugin = await create(module, { memory: { maxVarBytes: 1 } });
    await plugin.call('set');
  });

  it('gives the whole block for an output of its first byte', async () => {
    const plugin = await create(
      guest({ run: '(call $output_set (call $alloc (i64.const 100)) (i64.const 1))' }),
    );
    assert.equal((await plugin.call('run'))?.bytes().length, 100);
  });

  it('looks for configuration in Object.prototype', async () => {
    const plugin = await create(guest({ run: '(drop (call $config_get (call $input_offset)))' }));
    await plugin.call('run', 'missing');
    await assert.rejects(plugin.call('run', 'toString'), SyntaxError);
  });

  it('logs text as it is, line breaks and escapes too', async () => {
    const lines: unknown[] = [];
    const record = (line: unknown): number => lines.push(line);
    const logger = { trace: record, debug: record, info: record, warn: record, error: record };
    const plugin = await create(guest({ run: '(call $log_info (call $input_offset))' }), {
      logger: logger as unknown as Console,
      logLevel: 'info',
    });
    await plugin.call('run', 'a\nb\u001b[31m');
    assert.deepEqual(lines, ['a\nb\u001b[31m']);
  });
});

describe('SDK: linking (1.9)', () => {
  const COUNTER = (start: string): WebAssembly.Module =>
    assemble(`(module
      (global $count (mut i32) (i32.const 0))
      (func (export "add") (global.set $count (i32.add (global.get $count) (i32.const 1))))
      (func (export "count") (result i32) (global.get $count))
      ${start})`);
  const MAIN = assemble(`(module
    (import "counter" "add" (func $add))
    (import "counter" "count" (func $count (result i32)))
    (export "add" (func $add))
    (export "count" (func $count)))`);

  async function countAfterOneAdd(counter: WebAssembly.Module): Promise<number> {
    const plugin = await createPlugin({
      wasm: [
        { name: 'counter', module: counter as never },
        { name: 'main', module: MAIN as never },
      ],
    });
    const { exports } = (await plugin.getInstance()) as unknown as {
      exports: { add(): void; count(): number };
    };
    exports.add();
    return exports.count();
  }

  it('instantiates an item that exports _start once for every import', async () => {
    assert.equal(await countAfterOneAdd(COUNTER('')), 1);
    assert.equal(await countAfterOneAdd(COUNTER('(func (export "_start"))')), 0);
  });

  it('resolves an import to the item of that name, its own host module included', async () => {
    const kernel = assemble(`(module (func (export "input_length") (result i64) (i64.const 42)))`);
    const main = assemble(`(module
      (import "${ENV}" "input_length" (func $length (result i64)))
      (func (export "length") (result i64) (call $length)))`);
    const plugin = await createPlugin({
      wasm: [
        { name: ENV, module: kernel as never },
        { name: 'main', module: main as never },
      ],
    });
    const { exports } = (await plugin.getInstance()) as unknown as {
      exports: { length(): bigint };
    };
    assert.equal(exports.length(), 42n);
  });
});

describe('SDK: environment and hash (1.11)', () => {
  it("prints a guest's output when an environment variable says so", () => {
    const script = `
      import createPlugin from '@extism/extism';
      const wat = await (await import('wabt')).default();
      const parsed = wat.parseWat('w', \`(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 8) "\\\\10\\\\00\\\\00\\\\00\\\\05\\\\00\\\\00\\\\00guest")
        (func (export "run") (result i32)
          (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0))))\`);
      const module = new WebAssembly.Module(parsed.toBinary({}).buffer);
      const plugin = await createPlugin({ wasm: [{ name: 'main', module }] }, { useWasi: true });
      await plugin.call('run');
      await plugin.close();`;
    const run = (variable: string): string =>
      spawnSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
        cwd: new URL('../../..', import.meta.url),
        encoding: 'utf8',
        env: { ...process.env, EXTISM_ENABLE_WASI_OUTPUT: variable },
      }).stdout;
    assert.equal(run(''), '');
    assert.equal(run('1'), 'guest');
  });

  it('compiles before it compares the hash, and has none for compiled modules', async () => {
    await assert.rejects(
      createPlugin({ wasm: [{ name: 'main', data: Uint8Array.of(1, 2, 3), hash: '00' }] }),
      WebAssembly.CompileError,
    );
    const module = assemble(ECHO) as never;
    await assert.rejects(createPlugin({ wasm: [{ name: 'main', module, hash: '00' }] }));
  });
});

describe('SDK: http_request where the engine has JSPI', () => {
  it('is its own, whatever function it was given', async () => {
    const module = assemble(`(module
      (import "${ENV}" "http_request" (func $http_request (param i64 i64) (result i64)))
      (func (export "run") (result i32) (i32.wrap_i64 (call $http_request (i64.const 0) (i64.const 0)))))`);
    let asked = 0;
    const functions = {
      [ENV]: {
        http_request: () => {
          asked++;
          return 0n;
        },
      },
    };
    const plugin = await create(module, { functions });
    // Its own finds no request at 0, and fails.
    await plugin.call('run', 'x').catch(() => {});
    assert.equal(asked, WebAssembly.Suspending === undefined ? 1 : 0);
  });
});
