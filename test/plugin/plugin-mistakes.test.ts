/** What an operator may get wrong about a plugin is found before anything listens, by code. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { type ErrorCode, ServerError } from '../../src/errors.ts';
import { exampleWasm } from '../helpers/paths.ts';
import { call, servePlugin, withPlugin } from './fixture.ts';
import { assembleManifest, STATEFUL } from './guests.ts';

const dir = mkdtempSync(path.join(os.tmpdir(), 'plugin-mistakes-'));
after(() => rmSync(dir, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const place = path.join(dir, name);
  writeFileSync(place, content);
  return place;
}

const hello = readFileSync(exampleWasm('hello'));
const helloHash = createHash('sha256').update(hello).digest('hex');
const data = hello.toString('base64');
const state = assembleManifest(STATEFUL);

async function refusal(plugin: unknown, functionName = 'hello'): Promise<ErrorCode> {
  try {
    await (await servePlugin(plugin, [functionName])).close();
  } catch (error) {
    assert.ok(error instanceof ServerError, String(error));
    return error.code;
  }
  return assert.fail('it was served');
}

describe('a plugin is refused', () => {
  const mistakes: [what: string, plugin: () => unknown, code: ErrorCode][] = [
    ['whose file is not there', () => ({ wasm: path.join(dir, 'none.wasm') }), 'PLUGIN_NOT_FOUND'],
    ['whose file is a folder', () => ({ wasm: dir }), 'PLUGIN_NOT_FOUND'],
    [
      'whose file is not wasm',
      () => ({ wasm: file('text.wasm', 'text') }),
      'PLUGIN_COMPILE_FAILED',
    ],
    ['whose file is empty', () => ({ wasm: file('empty.wasm', '') }), 'PLUGIN_COMPILE_FAILED'],
    [
      'whose file is cut off',
      () => ({ wasm: file('cut.wasm', hello.subarray(0, hello.length - 10)) }),
      'PLUGIN_COMPILE_FAILED',
    ],
    [
      'that imports what no host has',
      () => ({
        manifest: assembleManifest('(module (import "no" "such" (func)) (func (export "hello")))'),
      }),
      'PLUGIN_COMPILE_FAILED',
    ],
    [
      'that imports WASI without leave',
      () => ({ wasm: exampleWasm('hello-go') }),
      'PLUGIN_COMPILE_FAILED',
    ],
    [
      'whose manifest file is not there',
      () => ({ manifest: path.join(dir, 'none.json') }),
      'PLUGIN_NOT_FOUND',
    ],
    ['whose manifest is not JSON', () => ({ manifest: file('text.json', '{') }), 'CONFIG_INVALID'],
    ['whose manifest is a list', () => ({ manifest: file('list.json', '[]') }), 'CONFIG_INVALID'],
    ['whose manifest has no wasm', () => ({ manifest: {} }), 'CONFIG_INVALID'],
    ['whose manifest has an empty wasm', () => ({ manifest: { wasm: [] } }), 'CONFIG_INVALID'],
    [
      'whose manifest item has neither path nor data',
      () => ({ manifest: { wasm: [{}] } }),
      'CONFIG_INVALID',
    ],
    ['whose manifest item is null', () => ({ manifest: { wasm: [null] } }), 'CONFIG_INVALID'],
    [
      'whose hash is another',
      () => ({
        manifest: {
          wasm: [{ data, hash: helloHash.replace(/^./, (c) => (c === '0' ? '1' : '0')) }],
        },
      }),
      'PLUGIN_COMPILE_FAILED',
    ],
    [
      'whose config is no map of texts',
      () => ({ manifest: { wasm: [{ data }], config: { a: 1 } } }),
      'CONFIG_INVALID',
    ],
    [
      'whose probe function is not there',
      () => ({ wasm: exampleWasm('hello'), probe: { function: 'none', input: '' } }),
      'FUNCTION_NOT_EXPORTED',
    ],
    [
      'whose probe gives another output',
      () => ({ wasm: exampleWasm('hello'), probe: { function: 'hello', input: 'x', output: 'y' } }),
      'PLUGIN_BAD_OUTPUT',
    ],
  ];
  for (const [what, plugin, code] of mistakes) {
    it(`${what}: ${code}`, async () => {
      assert.equal(await refusal(plugin()), code);
    });
  }

  it('that has no such function, and the error names those there are', async () => {
    await assert.rejects(servePlugin({ manifest: state }, ['raed']), (error) => {
      assert.ok(error instanceof ServerError);
      assert.equal(error.code, 'FUNCTION_NOT_EXPORTED');
      for (const name of ['mark', 'read', 'trap', 'fail']) assert.ok(error.message.includes(name));
      return true;
    });
  });

  for (const execution of ['inline', 'thread']) {
    it(`whose initialisation fails, by name and with its exit code: ${execution}`, async () => {
      const exit = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))';
      const manifest = (body: string): unknown =>
        assembleManifest(
          `(module ${exit} (func (export "go")) (func (export "_initialize") ${body}))`,
        );
      const cases: [body: string, code: ErrorCode, reason: RegExp][] = [
        ['(unreachable)', 'PLUGIN_COMPILE_FAILED', /^plugins\.p: .*unreachable/],
        ['(call $exit (i32.const 3))', 'PLUGIN_COMPILE_FAILED', /^plugins\.p: .*\b3\b/],
        ['(loop $again (br $again))', 'CALL_DEADLINE', /^plugins\.p: /],
      ];
      for (const [body, code, message] of cases) {
        const plugin = { manifest: manifest(body), wasi: true, execution, timeoutMs: 100 };
        await assert.rejects(servePlugin(plugin, ['go']), { code, message });
      }
    });
  }

  it('whose probe traps or reports an error', async () => {
    const probe = (name: string): unknown => ({
      manifest: state,
      probe: { function: name, input: '' },
    });
    assert.equal(await refusal(probe('trap'), 'read'), 'PLUGIN_TRAPPED');
    assert.equal(await refusal(probe('fail'), 'read'), 'PLUGIN_ERROR');
  });
});

describe('a plugin is served', () => {
  it('whose probe gives the output asked for, or any', async () => {
    for (const output of ['{"message":"🦀 Hello x"}', undefined]) {
      const probe = { function: 'hello', input: 'x', ...(output === undefined ? {} : { output }) };
      await withPlugin({ wasm: exampleWasm('hello'), probe }, ['hello'], async (served) => {
        assert.equal(await call(served, 'hello', 'y'), '{"message":"🦀 Hello y"}');
      });
    }
  });

  it('from a manifest file with a path of its own folder and the right hash', async () => {
    file('hello.wasm', hello);
    const wasm = [{ path: 'hello.wasm', hash: helloHash }];
    const manifest = file('hello.json', JSON.stringify({ wasm }));
    await withPlugin({ manifest }, ['hello'], async (served) => {
      assert.equal(await call(served, 'hello', 'y'), '{"message":"🦀 Hello y"}');
      assert.equal(served.description.hash, helloHash);
    });
  });

  it('with the version that its file names, cut where it is long', async () => {
    for (const [said, version] of [
      ['1.2.3', '1.2.3'],
      ['x'.repeat(200), 'x'.repeat(128)],
    ] as const) {
      const content = Buffer.from(`\u0007version${said}`);
      const size = [(content.length & 0x7f) | 0x80, content.length >> 7];
      const section = Buffer.concat([Buffer.from([0, ...size]), content]);
      const wasm = file('versioned.wasm', Buffer.concat([hello, section]));
      await withPlugin({ wasm }, ['hello'], async (served) => {
        assert.equal(served.description.version, version);
      });
    }
  });

  it('in Go with WASI, and in Rust', async () => {
    for (const [name, wasi] of [
      ['hello-go', true],
      ['hello-rust', false],
    ] as const) {
      await withPlugin({ wasm: exampleWasm(name), wasi }, ['hello'], async (served) => {
        assert.equal(await call(served, 'hello', '😄'), '{"message":"🦀 Hello 😄"}');
      });
    }
  });
});
