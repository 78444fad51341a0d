/**
 * Random guests against a model: whatever a guest does with pointers of its own, of freed blocks and
 * of nothing, its live blocks keep their bytes and lengths, no two of them overlap, nothing below
 * the heap changes by a store, and the next call sees zeros.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { assemble, createTestKernel, HEAP, KERNEL_WAT, type TestKernel } from './linked.ts';

const LIMIT_PAGES = 2;
const HAND_OVERS_KEPT = 64;
const RUNS = 300;

/** A pointer as a random guest makes it: near one of its blocks, or anywhere. */
interface Aim {
  readonly block: number;
  readonly from: 'start' | 'end';
  readonly offset: number;
  readonly wild: bigint | null;
}

type Step =
  | { readonly do: 'begin'; readonly length: number }
  | { readonly do: 'alloc'; readonly length: number }
  | { readonly do: 'free' | 'handOver'; readonly at: Aim }
  | { readonly do: 'handOverMany'; readonly times: number }
  | { readonly do: 'handOverTwo'; readonly at: Aim; readonly and: Aim }
  | { readonly do: 'store8' | 'store64'; readonly at: Aim; readonly value: bigint }
  | { readonly do: 'output'; readonly at: Aim; readonly length: number };

const aim: fc.Arbitrary<Aim> = fc.record({
  block: fc.nat(),
  from: fc.constantFrom('start', 'start', 'start', 'end'),
  offset: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: -20, max: 20 }) },
  ),
  wild: fc.oneof(
    { weight: 9, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) },
    { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: BigInt(HEAP) + 4096n }) },
  ),
});
/** For stores: all around both ends of a block. */
const around: fc.Arbitrary<Aim> = fc.record({
  block: fc.nat(),
  from: fc.constantFrom('start', 'end'),
  offset: fc.integer({ min: -10, max: 24 }),
  wild: fc.constant(null),
});
const blockLength = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 200 }) },
  // One size list: some fit, some do not.
  { weight: 3, arbitrary: fc.integer({ min: 64, max: 127 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 60_000 }) },
);
const value = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const store = fc.record({
  do: fc.constantFrom('store8', 'store64'),
  at: fc.oneof({ weight: 3, arbitrary: around }, { weight: 1, arbitrary: aim }),
  value,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('begin' as const), length: blockLength }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('alloc' as const), length: blockLength }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('free', 'handOver'), at: aim }) },
  { weight: 8, arbitrary: store },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('handOverTwo' as const), at: aim, and: aim }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('handOverMany' as const),
      times: fc.integer({ min: 1, max: 70 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('output' as const), at: aim, length: blockLength }),
  },
);

interface Block {
  readonly start: number;
  readonly length: number;
  state: 'live' | 'handed over' | 'free';
  handedOverAt: number;
  bytes: Buffer;
}

class Model {
  readonly #test: TestKernel;
  #blocks: Block[] = [];
  #handOvers = 0;

  constructor(test: TestKernel) {
    this.#test = test;
    this.run({ do: 'begin', length: 0 });
  }

  run(step: Step): void {
    const low = this.#raw().subarray(0, HEAP);
    const table = Buffer.from(low.subarray(0, 8192));
    switch (step.do) {
      case 'begin':
        this.#begin(step.length);
        break;
      case 'alloc':
        this.#alloc(step.length);
        break;
      case 'free':
        this.#free(this.#pointer(step.at));
        break;
      case 'handOver':
        this.#handOver(this.#pointer(step.at));
        break;
      case 'handOverMany':
        for (let i = 0; i < step.times; i++) {
          this.#alloc(24);
          this.#handOver(BigInt(this.#blocks.at(-1)?.start ?? 0));
        }
        break;
      case 'handOverTwo':
        this.#handOverTwo(this.#pointer(step.at), this.#pointer(step.and));
        break;
      case 'output':
        this.#output(this.#pointer(step.at), step.length);
        break;
      default:
        this.#store(step.do === 'store8' ? 1 : 8, this.#pointer(step.at), step.value);
        assert.ok(this.#raw().subarray(0, 8192).equals(table), 'a store changed the table');
    }
    this.#check();
  }

  #raw(): Buffer {
    return Buffer.from(this.#test.memory.buffer);
  }

  #pointer({ block, from, offset, wild }: Aim): bigint {
    if (wild !== null || this.#blocks.length === 0) return wild ?? 0n;
    // The newest ones most often: the end of the heap is where it gets interesting.
    const target = this.#blocks.at(-1 - (block % Math.min(this.#blocks.length, 8))) as Block;
    return BigInt(target.start + (from === 'end' ? target.length : 0) + offset);
  }

  #at(pointer: bigint): Block | undefined {
    return this.#blocks.find((block) => BigInt(block.start) === pointer && block.state !== 'free');
  }

  #begin(length: number): void {
    const input = Buffer.alloc(length, 0x11);
    this.#test.begin(input);
    this.#blocks = [];
    this.#handOvers = 0;
    const heap = this.#raw().subarray(HEAP);
    assert.ok(heap.subarray(0, length).equals(input));
    assert.ok(heap.subarray(length).equals(Buffer.alloc(heap.length - length)), 'not wiped');
    if (length > 0) this.#add(HEAP, length);
  }

  #alloc(length: number): void {
    const pointer = Number(this.#test.abi.alloc(BigInt(length)));
    if (length === 0) assert.equal(pointer, 0);
    if (pointer === 0) return;
    assert.equal(pointer % 16, 0);
    assert.ok(pointer >= HEAP && pointer + length <= HEAP + LIMIT_PAGES * 65_536);
    this.#add(pointer, length);
  }

  #add(start: number, length: number): void {
    for (const block of this.#blocks) {
      if (block.start + block.length <= start || start + length <= block.start) continue;
      if (block.state === 'handed over') {
        assert.ok(this.#handOvers - block.handedOverAt >= HAND_OVERS_KEPT, 'reused too early');
        block.state = 'free';
      }
      assert.equal(block.state, 'free', `two blocks at ${start}`);
    }
    this.#blocks = this.#blocks.filter((block) => block.start !== start);
    const bytes = Buffer.from(this.#raw().subarray(start, start + length));
    this.#blocks.push({ start, length, state: 'live', handedOverAt: 0, bytes });
  }

  #free(pointer: bigint): void {
    this.#test.abi.free(pointer);
    const block = this.#at(pointer);
    if (block !== undefined) block.state = 'free';
  }

  #handOver(pointer: bigint): void {
    this.#test.abi.log_info(pointer);
    this.#markHandedOver(pointer);
  }

  #handOverTwo(key: bigint, value: bigint): void {
    this.#test.abi.var_set(key, value);
    if (this.#at(key) === undefined) return;
    if (value !== 0n && this.#at(value) === undefined) return;
    this.#markHandedOver(key);
    this.#markHandedOver(value);
  }

  #markHandedOver(pointer: bigint): void {
    const block = this.#at(pointer);
    if (block?.state !== 'live') return;
    this.#handOvers++;
    block.state = 'handed over';
    block.handedOverAt = this.#handOvers;
  }

  #store(width: 1 | 8, pointer: bigint, value: bigint): void {
    const before = Buffer.from(this.#raw());
    if (width === 1) this.#test.abi.store_u8(pointer, Number(value & 0xffn));
    else this.#test.abi.store_u64(pointer, value);
    const after = this.#raw();
    const wanted = Buffer.alloc(8);
    wanted.writeBigUInt64LE(value);
    const start = pointer < 2n ** 31n ? Number(pointer) : -1;
    const changed = Buffer.from(before);
    if (start >= HEAP) wanted.copy(changed, start, 0, width);
    const inLiveBlock = this.#blocks.some(
      (block) =>
        block.state !== 'free' &&
        start >= block.start &&
        start + width <= block.start + block.length,
    );
    assert.ok(
      after.equals(changed) || (!inLiveBlock && after.equals(before)),
      'a torn or lost store',
    );
    const end = HEAP + this.#test.kernel.usedBytes;
    assert.ok(after.subarray(end).equals(before.subarray(end)), 'a store past what is wiped');
    for (const block of this.#blocks) {
      block.bytes = Buffer.from(after.subarray(block.start, block.start + block.length));
    }
  }

  #output(pointer: bigint, length: number): void {
    this.#test.abi.output_set(pointer, BigInt(length));
    const block = this.#blocks.find(
      ({ start, length: size, state }) =>
        state !== 'free' && pointer >= start && pointer + BigInt(length) <= BigInt(start + size),
    );
    const handed = this.#blocks.some(({ state }) => state === 'handed over');
    if (length === 0) {
      assert.equal(this.#test.kernel.finish(0).length, 0);
    } else if (block?.state === 'live') {
      const from = Number(pointer) - block.start;
      assert.ok(block.bytes.subarray(from, from + length).equals(this.#test.kernel.finish(0)));
    } else if (!handed) {
      assert.throws(() => this.#test.kernel.finish(0), { code: 'PLUGIN_BAD_OUTPUT' });
    }
  }

  #check(): void {
    const raw = this.#raw();
    for (const { start, length, state, bytes } of this.#blocks) {
      const told = this.#test.abi.length(BigInt(start));
      if (state === 'live') assert.equal(told, BigInt(length));
      if (state === 'free') assert.equal(told, 0n);
      if (state === 'live')
        assert.ok(raw.subarray(start, start + length).equals(bytes), 'bytes lost');
    }
    assert.ok(this.#test.kernel.usedBytes <= LIMIT_PAGES * 65_536);
  }
}

function checkModel(module: WebAssembly.Module | null, parameters: fc.Parameters<[Step[]]>): void {
  const options = { maxHeapPages: LIMIT_PAGES, maxRefusedAllocations: 1_000_000 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 150 }), (steps) => {
      const model = new Model(createTestKernel(module === null ? options : { ...options, module }));
      for (const each of steps) model.run(each);
    }),
    parameters,
  );
}

describe('kernel model', () => {
  it('holds for random guests', () => {
    checkModel(null, { numRuns: RUNS, interruptAfterTimeLimit: 20_000 });
  });

  const faults: Record<string, [string, string]> = {
    'a fit is not checked': [
      '(i32.ge_u (call $capacity (local.get $block)) (local.get $length))',
      '(i32.const 1)',
    ],
    'a freed block keeps its state': [
      '(i32.store offset=8 (local.get $block) (i32.const 0))\n',
      '\n',
    ],
    'a double hand-over is not seen': [
      '(if (i32.ne (i32.load offset=8 (local.get $block)) (i32.const 1)) (then (return)))',
      '',
    ],
    'words may cross the end': ['(i64.const 7)', '(i64.const 0)'],
    'the last call is not wiped': [
      '(memory.fill (global.get $heap) (i32.const 0) (i32.load (i32.const 20)))',
      '',
    ],
  };
  for (const [name, [code, instead]] of Object.entries(faults)) {
    it(`is seen to fail when ${name}`, () => {
      assert.ok(KERNEL_WAT.includes(code));
      const faulty = assemble(KERNEL_WAT.replaceAll(code, instead));
      // A seed that finds each of them, so that this test does not fail by bad luck.
      assert.throws(() => checkModel(faulty, { numRuns: 2000, seed: 1, endOnFailure: true }));
    });
  }
});
