/** The kernel's ABI as a guest meets it, called straight from the test: no guest, no SDK. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assemble, createTestKernel, HEAP, KERNEL_WAT, type TestKernel } from './linked.ts';

const HEAP_ADDRESS = BigInt(HEAP);

/** Pointers that are no block's, whatever is allocated at the heap's start. */
const HOSTILE_POINTERS = [
  0n,
  1n,
  28n,
  4096n,
  HEAP_ADDRESS - 8n,
  HEAP_ADDRESS - 1n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x1_0000_0000n + HEAP_ADDRESS,
  0x1_0000_0000_0000n + HEAP_ADDRESS,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_fff8n,
  0xffff_ffff_ffff_ffffn,
];

function memoryOf(test: TestKernel): Buffer {
  return Buffer.from(test.memory.buffer);
}

describe('kernel ABI', () => {
  it('offers every function of Extism with its wasm type', () => {
    const types: Record<string, string> = {
      input_length: '(result i64)',
      input_offset: '(result i64)',
      input_load_u8: '(param i64) (result i32)',
      input_load_u64: '(param i64) (result i64)',
      load_u8: '(param i64) (result i32)',
      load_u64: '(param i64) (result i64)',
      store_u8: '(param i64 i32)',
      store_u64: '(param i64 i64)',
      alloc: '(param i64) (result i64)',
      free: '(param i64)',
      length: '(param i64) (result i64)',
      length_unsafe: '(param i64) (result i64)',
      output_set: '(param i64 i64)',
      error_set: '(param i64)',
      error_get: '(result i64)',
      config_get: '(param i64) (result i64)',
      var_get: '(param i64) (result i64)',
      var_set: '(param i64 i64)',
      http_request: '(param i64 i64) (result i64)',
      http_status_code: '(result i32)',
      http_headers: '(result i64)',
      log_trace: '(param i64)',
      log_debug: '(param i64)',
      log_info: '(param i64)',
      log_warn: '(param i64)',
      log_error: '(param i64)',
      get_log_level: '(result i32)',
    };
    const imports = Object.entries(types).map(
      ([name, type]) => `(import "extism:host/env" "${name}" (func ${type}))`,
    );
    const { abi } = createTestKernel();
    const guest = assemble(`(module ${imports.join('\n')})`);
    new WebAssembly.Instance(guest, { 'extism:host/env': abi as never });
  });

  it('gives the guest nothing but functions under names without a prefix', () => {
    const { abi } = createTestKernel();
    for (const [name, value] of Object.entries(abi)) {
      assert.ok(name.startsWith('plugind:') || typeof value === 'function', name);
    }
  });
});

describe('kernel input', () => {
  it('gives length, offset and bytes', () => {
    const test = createTestKernel();
    test.begin('hello world');
    assert.equal(test.abi.input_length(), 11n);
    assert.equal(test.read(test.abi.input_offset()), 'hello world');
    assert.equal(test.abi.input_load_u8(4n), 'o'.charCodeAt(0));
    assert.equal(test.abi.input_load_u64(3n), Buffer.from('lo world').readBigUInt64LE());
  });

  it('gives 0 past its end', () => {
    const test = createTestKernel();
    test.begin('hello world');
    for (const offset of [11n, 12n, 2n ** 32n, 2n ** 32n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
      assert.equal(test.abi.input_load_u8(offset), 0, String(offset));
    }
    for (const offset of [4n, 10n, 11n, 2n ** 32n, 2n ** 64n - 8n, 2n ** 64n - 1n]) {
      assert.equal(test.abi.input_load_u64(offset), 0n, String(offset));
    }
  });

  it('has neither offset nor length when empty', () => {
    const test = createTestKernel();
    test.begin('abc');
    test.begin('');
    assert.equal(test.abi.input_length(), 0n);
    assert.equal(test.abi.input_offset(), 0n);
    assert.equal(test.abi.input_load_u8(0n), 0);
    assert.equal(test.abi.input_load_u64(0n), 0n);
  });

  it('is gone once the guest frees it', () => {
    const test = createTestKernel();
    test.begin('abc');
    test.abi.free(test.abi.input_offset());
    assert.equal(test.abi.input_length(), 0n);
    assert.equal(test.abi.input_load_u8(0n), 0);
  });

  it('is refused when it is over the limit, and the next call is right', () => {
    const test = createTestKernel({ maxHeapPages: 1 });
    assert.throws(() => test.begin(new Uint8Array(65_537)), { code: 'PLUGIN_LIMIT' });
    test.begin(new Uint8Array(65_536).fill(7));
    assert.equal(test.abi.input_load_u8(65_535n), 7);
  });
});

describe('kernel blocks', () => {
  it('stores and loads bytes and words at any alignment', () => {
    const test = createTestKernel();
    test.begin();
    const pointer = test.abi.alloc(20n);
    test.abi.store_u64(pointer + 3n, 0x1122334455667788n);
    test.abi.store_u8(pointer, 0x1ff);
    assert.equal(test.abi.load_u64(pointer + 3n), 0x1122334455667788n);
    assert.equal(test.abi.load_u8(pointer + 3n), 0x88);
    assert.equal(test.abi.load_u8(pointer), 0xff);
    assert.equal(test.abi.length(pointer), 20n);
    assert.equal(test.abi.length_unsafe(pointer), 20n);
  });

  it('answers an allocation of nothing with 0', () => {
    const test = createTestKernel();
    test.begin();
    assert.equal(test.abi.alloc(0n), 0n);
    assert.equal(test.kernel.refusedAllocations, 0);
  });

  it("has a length at a block's start only", () => {
    const test = createTestKernel();
    test.begin('input');
    const pointers = Array.from({ length: 40 }, (_, index) => test.abi.alloc(BigInt(index + 1)));
    pointers.forEach((pointer, index) => {
      assert.equal(test.abi.length(pointer), BigInt(index + 1));
      assert.equal(test.abi.length(pointer + 1n), 0n);
      assert.equal(test.abi.length(pointer - 1n), 0n);
    });
    assert.equal(test.abi.length(test.abi.input_offset()), 5n);
  });

  it('stops loads and stores of words that reach over the end', () => {
    const test = createTestKernel();
    test.begin();
    const pointer = test.abi.alloc(16n);
    const before = Buffer.from(memoryOf(test));
    for (let offset = 9n; offset < 24n; offset++) {
      test.abi.store_u64(pointer + offset, -1n);
      assert.equal(test.abi.load_u64(pointer + offset), 0n);
    }
    for (let offset = -8n; offset < 0n; offset++) test.abi.store_u64(pointer + offset, -1n);
    assert.ok(memoryOf(test).equals(before));
    test.abi.store_u64(pointer + 8n, -1n);
    assert.equal(test.abi.load_u64(pointer + 8n), -1n);
  });

  for (const input of ['', 'abc']) {
    it(`takes hostile pointers, input ${JSON.stringify(input)}`, () => {
      const test = createTestKernel({ config: { '': 'empty', abc: 'x' } });
      test.begin(input);
      const before = Buffer.from(memoryOf(test));
      for (const pointer of HOSTILE_POINTERS) {
        assert.equal(test.abi.load_u8(pointer), 0);
        assert.equal(test.abi.load_u64(pointer), 0n);
        test.abi.store_u8(pointer, 255);
        test.abi.store_u64(pointer, -1n);
        test.abi.free(pointer);
        assert.equal(test.abi.length(pointer), 0n);
        assert.equal(test.abi.length_unsafe(pointer), 0n);
        assert.equal(test.abi.config_get(pointer), 0n);
        assert.equal(test.abi.var_get(pointer), 0n);
        test.abi.var_set(pointer, 0n);
        test.abi.var_set(pointer, pointer);
        assert.equal(test.abi.http_request(pointer, pointer), 0n);
        test.abi.log_error(pointer);
      }
      assert.ok(memoryOf(test).equals(before));
      assert.deepEqual(test.lines, []);
      assert.deepEqual(test.trips, []);
    });
  }

  it('keeps lengths whatever a guest writes wherever it may', () => {
    const test = createTestKernel();
    test.begin('input');
    const pointers = [1n, 16n, 17n, 1000n].map((length) => test.abi.alloc(length));
    const low = Buffer.from(memoryOf(test).subarray(0, HEAP));
    for (let address = HEAP_ADDRESS - 4096n; address < HEAP_ADDRESS + 4096n; address++) {
      test.abi.store_u8(address, 255);
      test.abi.store_u64(address, -1n);
    }
    assert.ok(memoryOf(test).subarray(0, HEAP).equals(low));
    assert.deepEqual(
      pointers.map((pointer) => test.abi.length(pointer)),
      [1n, 16n, 17n, 1000n],
    );
    for (const pointer of pointers) test.abi.free(pointer);
    assert.equal(test.abi.alloc(900n) !== 0n, true);
  });

  it('refuses the largest lengths without overflow', () => {
    const test = createTestKernel();
    test.begin('x');
    for (const length of [
      2n ** 31n,
      2n ** 32n,
      2n ** 32n + 16n,
      2n ** 63n,
      2n ** 64n - 16n,
      2n ** 64n - 1n,
    ]) {
      assert.equal(test.abi.alloc(length), 0n, String(length));
    }
    assert.equal(test.kernel.refusedAllocations, 6);
    assert.notEqual(test.abi.alloc(16n), 0n);
  });

  it('gives 0 past the limit, and all of it in the next call', () => {
    const test = createTestKernel({ maxHeapPages: 2, maxRefusedAllocations: 1000 });
    for (let round = 0; round < 3; round++) {
      test.begin();
      let got = 0;
      while (test.abi.alloc(1024n) !== 0n) got++;
      assert.equal(got, 128);
      assert.equal(test.kernel.refusedAllocations, 1);
      assert.equal(test.kernel.usedBytes, 131_072);
    }
  });

  it('grows by what the host allows at that moment', () => {
    let allowed = 0;
    const test = createTestKernel({ mayGrow: (pages) => pages <= allowed });
    test.begin();
    assert.equal(test.abi.alloc(65_537n), 0n);
    assert.equal(test.kernel.heapPages, 1);
    allowed = 1;
    assert.notEqual(test.abi.alloc(65_537n), 0n);
    assert.equal(test.kernel.heapPages, 2);
    allowed = 16;
    assert.notEqual(test.abi.alloc(65_536n), 0n);
    assert.equal(test.kernel.heapPages, 18);
    allowed = 0;
    assert.notEqual(test.abi.alloc(65_536n), 0n);
  });

  it('refuses a block more than its table holds, and the next call is right', () => {
    const test = createTestKernel({ maxHeapPages: 1024 });
    test.begin();
    let blocks = 0;
    while (test.abi.alloc(1n) !== 0n && blocks < 100_000) blocks++;
    assert.equal(blocks, (HEAP - 4096) / 16);
    test.begin('next');
    assert.equal(test.read(test.abi.input_offset()), 'next');
    assert.notEqual(test.abi.alloc(1n), 0n);
  });

  it('tells how large its memory is after one large call', () => {
    const test = createTestKernel({ maxHeapPages: 512 });
    test.begin();
    const before = test.kernel.memoryBytes;
    test.abi.alloc(20n << 20n);
    test.begin();
    assert.ok(test.kernel.memoryBytes >= before + (19 << 20));
    assert.equal(test.kernel.usedBytes, 0);
  });
});

describe('kernel free', () => {
  it('lets a guest allocate and free for ever', () => {
    const test = createTestKernel({ maxHeapPages: 1 });
    test.begin();
    const kept = test.abi.alloc(64n);
    for (let round = 0; round < 20_000; round++) {
      const first = test.abi.alloc(BigInt(100 + (round % 50)));
      const second = test.abi.alloc(300n);
      assert.ok(first !== 0n && second !== 0n);
      test.abi.free(first);
      test.abi.free(second);
    }
    assert.equal(test.abi.length(kept), 64n);
    assert.ok(test.kernel.usedBytes < 2048);
  });

  it('gives a freed block no length, and one owner when it is reused', () => {
    const test = createTestKernel();
    test.begin();
    const first = test.abi.alloc(100n);
    const second = test.abi.alloc(100n);
    test.abi.free(first);
    test.abi.free(first);
    test.abi.free(first + 1n);
    assert.equal(test.abi.length(first), 0n);
    const again = test.abi.alloc(90n);
    const more = test.abi.alloc(90n);
    assert.equal(again, first);
    assert.notEqual(more, first);
    assert.equal(test.abi.length(again), 90n);
    assert.equal(test.abi.length(second), 100n);
  });

  it('reuses a large free block rather than failing', () => {
    const test = createTestKernel({ maxHeapPages: 1 });
    test.begin();
    const large = test.abi.alloc(60_000n);
    assert.notEqual(test.abi.alloc(16n), 0n);
    test.abi.free(large);
    for (let i = 0; i < 300; i++) test.abi.alloc(16n);
    assert.equal(test.abi.alloc(100_000n), 0n);
    assert.equal(test.abi.alloc(6_000n), large);
  });

  it('keeps a block readable for a guest that frees what it handed over (go-pdk)', () => {
    const test = createTestKernel({ config: { key: 'value' }, maxHeapPages: 1 });
    test.begin();
    for (let round = 0; round < 10_000; round++) {
      const key = test.text('key');
      const value = test.abi.config_get(key);
      assert.equal(test.read(value), 'value');
      test.abi.free(key);
      assert.equal(test.read(value), 'value');
      test.abi.free(value);
    }
    assert.ok(test.kernel.usedBytes < 1024);
  });

  it('takes back what a guest hands over and never frees (rust-pdk)', () => {
    const test = createTestKernel({ maxHeapPages: 1 });
    test.begin();
    for (let round = 0; round < 10_000; round++) {
      const key = test.text(`key ${round % 7}`);
      const value = test.text(`value ${round}`);
      assert.ok(key !== 0n && value !== 0n);
      test.abi.var_set(key, value);
    }
    assert.equal(test.read(test.abi.var_get(test.text('key 3'))), 'value 9999');
    assert.equal(test.host.vars.bytes, 7 * ('key 0'.length + 'value 9999'.length));
  });

  it('survives one block as key and value, and hand-overs of freed blocks', () => {
    const test = createTestKernel({ maxHeapPages: 1 });
    test.begin();
    for (let round = 0; round < 1000; round++) {
      const block = test.text('same');
      test.abi.var_set(block, block);
      if (round % 3 === 0) test.abi.free(block);
      test.abi.var_set(block, block);
      test.abi.log_info(block);
    }
    assert.equal(test.read(test.abi.var_get(test.text('same'))), 'same');
    assert.ok(test.kernel.usedBytes < 8192);
  });
});

describe('kernel output and error', () => {
  it('gives exactly the bytes that were set', () => {
    const test = createTestKernel();
    test.begin();
    const pointer = test.text('0123456789');
    test.abi.output_set(pointer, 1n);
    assert.equal(Buffer.from(test.kernel.finish(0)).toString(), '0');
    test.abi.output_set(pointer + 3n, 4n);
    const output = test.kernel.finish(undefined);
    assert.equal(Buffer.from(output).toString(), '3456');
    assert.equal(output.buffer.byteLength, 4);
  });

  it('is empty when nothing was set, or 0 bytes', () => {
    const test = createTestKernel();
    test.begin('input');
    assert.equal(test.kernel.finish(0).length, 0);
    test.abi.output_set(0n, 0n);
    assert.equal(test.kernel.finish(0).length, 0);
    test.abi.output_set(test.abi.input_offset(), 5n);
    test.abi.output_set(0n, 0n);
    assert.equal(test.kernel.finish(0).length, 0);
  });

  it('has a buffer of its own also when empty, which its caller may transfer', () => {
    const test = createTestKernel();
    test.begin();
    const { buffer } = test.kernel.finish(0);
    structuredClone(buffer, { transfer: [buffer] });
    test.begin();
    const next = test.kernel.finish(0);
    assert.ok(new DataView(next.buffer));
  });

  it('refuses bytes that are not within one block', () => {
    const test = createTestKernel();
    test.begin();
    const pointer = test.abi.alloc(10n);
    test.abi.alloc(10n);
    const freed = test.abi.alloc(10n);
    test.abi.alloc(10n);
    test.abi.free(freed);
    const bad: [bigint, bigint][] = [
      [pointer, 11n],
      [pointer + 5n, 6n],
      [pointer + 11n, 1n],
      [pointer, 2n ** 32n],
      [pointer, 2n ** 32n + 1n],
      [pointer, 2n ** 64n - 1n],
      [pointer + 1n, 2n ** 64n - 1n],
      [freed, 1n],
      ...HOSTILE_POINTERS.map((hostile): [bigint, bigint] => [hostile, 1n]),
    ];
    for (const [from, length] of bad) {
      test.abi.output_set(pointer, 10n);
      test.abi.output_set(from, length);
      assert.throws(
        () => test.kernel.finish(0),
        { code: 'PLUGIN_BAD_OUTPUT' },
        `${from} ${length}`,
      );
    }
    test.abi.output_set(pointer, 10n);
    assert.equal(test.kernel.finish(0).length, 10);
  });

  it('refuses an output over the limit without copying it', () => {
    const test = createTestKernel({ maxOutputBytes: 100 });
    test.begin();
    const pointer = test.abi.alloc(101n);
    test.abi.output_set(pointer, 101n);
    assert.throws(() => test.kernel.finish(0), { code: 'PLUGIN_LIMIT' });
    test.abi.output_set(pointer, 100n);
    assert.equal(test.kernel.finish(0).length, 100);
  });

  it('fails the call with the error text, cut to its limit', () => {
    const test = createTestKernel();
    test.begin();
    const text = test.text('no such user: ü');
    test.abi.error_set(text);
    assert.equal(test.abi.error_get(), text);
    assert.throws(() => test.kernel.finish(1), {
      code: 'PLUGIN_ERROR',
      message: 'no such user: ü',
    });
    assert.throws(() => test.kernel.finish(0), { code: 'PLUGIN_ERROR' });
    const long = test.abi.alloc(70_000n);
    test.abi.error_set(long);
    assert.throws(
      () => test.kernel.finish(0),
      (error: Error) => error.message.length === 65_536,
    );
  });

  it('takes an error back', () => {
    const test = createTestKernel();
    test.begin();
    test.abi.error_set(test.text('oops'));
    test.abi.error_set(0n);
    assert.equal(test.abi.error_get(), 0n);
    assert.equal(test.kernel.finish(0).length, 0);
  });

  it('is an error without text when its pointer is no block', () => {
    const test = createTestKernel();
    for (const pointer of HOSTILE_POINTERS.slice(1)) {
      test.begin();
      test.abi.error_set(pointer);
      assert.throws(() => test.kernel.finish(0), { code: 'PLUGIN_ERROR', message: '' });
    }
  });

  it('fails a call that returns something other than 0', () => {
    const test = createTestKernel();
    test.begin();
    assert.throws(() => test.kernel.finish(3), { code: 'PLUGIN_ERROR', details: { exitCode: 3 } });
  });

  it('forgets output and error with the next call', () => {
    const test = createTestKernel();
    test.begin('abc');
    test.abi.output_set(test.abi.input_offset(), 3n);
    test.abi.error_set(test.abi.input_offset());
    test.begin();
    assert.equal(test.abi.error_get(), 0n);
    assert.equal(test.kernel.finish(0).length, 0);
    test.abi.output_set(1n, 1n);
    test.begin();
    assert.equal(test.kernel.finish(0).length, 0);
  });
});

describe('kernel secrecy', () => {
  /** Bytes of the last call that this one can find, by every way there is. */
  function countLeaks(test: TestKernel): number {
    let found = 0;
    const secret = 0x5a;
    for (let call = 0; call < 30; call++) {
      test.begin(new Uint8Array(10 + 700 * (call % 3)).fill(secret));
      const block = test.abi.alloc(BigInt(5000 * ((call % 5) + 1)));
      for (let offset = 0n; offset < 4996n; offset += 8n) {
        test.abi.store_u64(block + offset, 0x5a5a5a5a5a5a5a5an);
      }
      test.abi.free(block);
      test.begin('x');
      for (const size of [1n, 100n, 5_000n, 20_000n]) {
        const pointer = test.abi.alloc(size);
        for (let offset = -32n; offset < size + 64n; offset++) {
          if (test.abi.load_u8(pointer + offset) === secret) found++;
          if (test.abi.input_load_u8(offset) === secret) found++;
        }
      }
      for (let at = HEAP_ADDRESS - 64n; at < HEAP_ADDRESS + 30_000n; at += 3n) {
        if ((test.abi.load_u64(at) & 0xffn) === BigInt(secret)) found++;
      }
    }
    return found;
  }

  it('shows a call nothing of the one before', () => {
    assert.equal(countLeaks(createTestKernel()), 0);
  });

  it('is seen to leak by the same test when wiping is taken out', () => {
    const wipe = '(memory.fill (global.get $heap) (i32.const 0) (i32.load (i32.const 20)))';
    assert.ok(KERNEL_WAT.includes(wipe));
    const leaky = assemble(KERNEL_WAT.replace(wipe, ''));
    assert.ok(countLeaks(createTestKernel({ module: leaky })) > 1000);
  });

  it('is seen to fail the hostile-pointer test when bounds are taken out', () => {
    const check =
      '(i64.lt_u (i64.sub (local.get $pointer) (i64.const 0x100000)) (global.get $used))';
    assert.ok(KERNEL_WAT.includes(check));
    const open = assemble(KERNEL_WAT.replaceAll(check, '(i32.const 1)'));
    const test = createTestKernel({ module: open });
    test.begin('x');
    test.abi.store_u8(32n, 1);
    assert.notEqual(test.abi.get_log_level(), createTestKernel().abi.get_log_level());
  });

  it('wipes what a call had beyond the heap it ended with', () => {
    const test = createTestKernel();
    test.begin();
    const block = test.abi.alloc(5000n);
    test.abi.store_u8(block + 4000n, 0x5a);
    test.abi.free(block);
    test.begin();
    assert.equal(test.abi.load_u8(test.abi.alloc(5000n) + 4000n), 0);
  });
});
