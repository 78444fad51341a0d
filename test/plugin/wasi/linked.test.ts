/** WASI guests linked with the kernel, the guard and our WASI, as the engine links them. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import createPlugin from '@extism/extism';
import createWabt from 'wabt';
import { guardModule } from '../../../src/plugin/guard/guard.ts';
import { createGuestWasi } from '../../../src/plugin/wasi/guest-wasi.ts';
import {
  encodeWasiItem,
  WASI_HOST_NAMESPACE,
  WASI_ITEM,
} from '../../../src/plugin/wasi/wasi-item.ts';
import { GUARD, LinkedGuest, type LinkedGuestOptions } from './linked-guest.ts';
import { createDirectory, mount, TestGuest } from './test-guest.ts';

const wabt = await createWabt();

function assemble(wat: string): Uint8Array<ArrayBuffer> {
  const parsed = wabt.parseWat('guest.wat', wat, { exceptions: true });
  try {
    return parsed.toBinary({}).buffer as Uint8Array<ArrayBuffer>;
  } finally {
    parsed.destroy();
  }
}

/** Functions `() -> i32` by name, over the imports that these tests need. */
function guest(functions: Readonly<Record<string, string>>, extra = ''): Uint8Array<ArrayBuffer> {
  const bodies = Object.entries(functions).map(
    ([name, body]) => `(func (export "${name}") (result i32) ${body})`,
  );
  return assemble(`(module
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff"
      (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
      (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (memory 1)
    (data (i32.const 0) "\\10\\00\\00\\00\\06\\00\\00\\00")
    (data (i32.const 16) "hello\\n")
    (data (i32.const 32) "file")
    (func $print (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64))))
    (func $sleep (param $seconds i64)
      (i32.store (i32.const 144) (i32.const 1))
      (i64.store (i32.const 152) (i64.mul (local.get $seconds) (i64.const 1000000000)))
      (drop (call $poll_oneoff (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 64))))
    ${extra}
    ${bodies.join('\n')})`);
}

function run(
  functions: Readonly<Record<string, string>>,
  work: (linked: LinkedGuest) => void,
  options: LinkedGuestOptions = {},
): void {
  const linked = new LinkedGuest(guest(functions), options);
  try {
    work(linked);
  } finally {
    linked.close();
  }
}

describe('a WASI guest', () => {
  it('prints through a memory that it does not export', () => {
    run({ print: '(call $print) (i32.const 0)' }, (linked) => {
      assert.equal(linked.call('print'), '');
      assert.deepEqual(linked.lines, ['stdout: hello']);
    });
  });

  it('exits with its code, and is called again', () => {
    const functions = {
      exit: '(call $print) (call $proc_exit (i32.const 7)) (call $print) (i32.const 0)',
      print: '(call $print) (i32.const 0)',
    };
    run(functions, (linked) => {
      assert.equal(linked.call('exit'), 'exit 7');
      assert.equal(linked.call('print'), '');
      assert.equal(linked.call('exit'), 'exit 7');
      assert.equal(linked.lines.length, 3);
    });
  });

  it('sleeps until its deadline and traps then', () => {
    const functions = {
      sleep: '(call $sleep (i64.const 3600)) (loop $again (br $again)) (i32.const 0)',
      print: '(call $print) (i32.const 0)',
    };
    const work = (linked: LinkedGuest): void => {
      for (let round = 0; round < 3; round++) {
        const start = performance.now();
        assert.throws(() => linked.call('sleep'), WebAssembly.RuntimeError);
        const took = performance.now() - start;
        assert.ok(took >= 50 && took < 1000, `${took} ms`);
        assert.equal(linked.call('print'), '');
      }
    };
    run(functions, work, { timeoutMs: 50 });
  });

  it('is ended by a limit of its output', () => {
    const functions = { flood: '(loop $again (call $print) (br $again)) (i32.const 0)' };
    run(functions, (linked) => {
      for (let round = 0; round < 3; round++) {
        assert.throws(() => linked.call('flood'), { code: 'PLUGIN_LIMIT' });
      }
      assert.equal(linked.lines.length, 300);
    });
  });

  it('opens a file', () => {
    const open = `(call $path_open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 4)
      (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 64))`;
    const root = createDirectory();
    writeFileSync(join(root, 'file'), '');
    const body = {
      open: `(if ${open} (then unreachable)) (call $proc_exit (i32.load (i32.const 64))) (i32.const 0)`,
    };
    const preopens = [mount(root, '/')];
    run(body, (linked) => assert.equal(linked.call('open'), 'exit 4'), { preopens });
  });
});

describe('the SDK', () => {
  it("links our WASI by the item's name, and not its own", async () => {
    const bytes = guest({ print: '(call $print) (i32.const 0)' }, '(export "memory" (memory 0))');
    const { imports } = guardModule(bytes, GUARD);
    const item = encodeWasiItem(imports) as Uint8Array<ArrayBuffer>;
    const { wasi, lines } = new TestGuest();
    const plugin = await createPlugin(
      {
        wasm: [
          { name: WASI_ITEM, module: new WebAssembly.Module(item) as never },
          { name: 'main', module: new WebAssembly.Module(bytes) as never },
        ],
      },
      { useWasi: false, functions: { [WASI_HOST_NAMESPACE]: wasi.functions } },
    );
    const { exports } = (await plugin.getInstance()) as unknown as WebAssembly.Instance;
    wasi.attach(exports.memory as WebAssembly.Memory);
    (exports.print as () => number)();
    assert.deepEqual(lines, ['stdout: hello']);
    await plugin.close();
  });
});

describe('a guest that catches everything', () => {
  it('has exited all the same', () => {
    // As in a thread, without the guard, which refuses exceptions.
    const module = new WebAssembly.Module(
      assemble(`(module
        (import "wasi" "proc_exit" (func $proc_exit (param i32)))
        (import "wasi" "sched_yield" (func $sched_yield (result i32)))
        (func (export "run") (result i32)
          (try (do (call $proc_exit (i32.const 3))) (catch_all))
          (try (do (drop (call $sched_yield))) (catch_all (return (i32.const 77))))
          (i32.const 0)))`),
    );
    const wasi = createGuestWasi({
      preopens: [],
      output: { maxLines: 1, maxLineBytes: 1 },
      outputSink: () => {},
      remainingMs: () => 1000,
      checkDeadline: () => {},
      isOver: () => false,
      trip: assert.fail,
    });
    const { proc_exit, sched_yield } = wasi.functions;
    const { exports } = new WebAssembly.Instance(module, {
      wasi: {
        proc_exit: proc_exit?.bind(null, null) as never,
        sched_yield: sched_yield?.bind(null, null) as never,
      },
    });
    wasi.begin();
    assert.equal((exports.run as () => number)(), 77);
    assert.equal(wasi.exitCode, 3);
  });
});

describe('hello in Go', () => {
  const file = new URL('../../../examples/hello-go/hello-go.wasm', import.meta.url);

  it('answers as often as it is asked', () => {
    const linked = new LinkedGuest(readFileSync(file));
    for (let round = 0; round < 200; round++) {
      assert.equal(
        linked.call('hello', `😄 Bob Morane ${round}`),
        `{"message":"🦀 Hello 😄 Bob Morane ${round}"}`,
      );
    }
    assert.deepEqual(linked.lines, []);
    assert.equal(linked.wasi.exitCode, null);
    linked.close();
  });

  it('answers with a directory too', () => {
    const root = createDirectory();
    const linked = new LinkedGuest(readFileSync(file), { preopens: [mount(root, '/')] });
    assert.equal(linked.call('hello', 'Bob'), '{"message":"🦀 Hello Bob"}');
    linked.close();
  });
});
