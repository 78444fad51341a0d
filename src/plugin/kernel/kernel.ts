/**
 * The JavaScript side of one kernel instance: a call's begin, its end, and the kernel's memory for
 * the host functions. It knows the addresses of the words in kernel.wat. It does not instantiate
 * anything; the exports come through the `main` shim (shim.ts).
 *
 * A call: `begin(input)`, the guest's function, `finish(what it returned)`.
 */
import { ServerError } from '../../errors.ts';
import type { ShimImport } from './shim.ts';

/** What the kernel is called among a manifest's items, and what guests import. */
export const KERNEL_ITEM = 'extism:host/env';
/** What the kernel imports from: the functions of kernel-host.ts. No guest may import from here. */
export const KERNEL_HOST_NAMESPACE = 'plugind:host';

const PAGE_BYTES = 65_536;
/** What lies below the heap. */
const TABLE_PAGES = 16;
/** What the heap begins with. */
export const LEAST_HEAP_PAGES = 1;
/** Default of {@link KernelLimits.maxErrorBytes}. */
const MAX_ERROR_BYTES = 65_536;
/** Pointers are signed 32-bit numbers on this side, so the heap ends below 2 GiB. */
const MAX_HEAP_BYTES = 0x7fe0_0000;

/** Indices of the words that kernel and host share. */
const WORD = {
  status: 0,
  outputPointer: 1,
  outputLength: 2,
  errorPointer: 3,
  errorLength: 4,
  usedBytes: 5,
  refusedAllocations: 6,
  maxHeapBytes: 7,
  logLevel: 8,
  httpStatus: 9,
} as const;
const WORD_COUNT = 16;
const STATUS_ERROR = 1;

const EMPTY = new Uint8Array(0);

/** What the shim must import from the kernel and export again for {@link Kernel}. */
export const KERNEL_SHIM_IMPORTS: readonly ShimImport[] = [
  { kind: 'memory', module: KERNEL_ITEM, name: 'plugind:memory', as: 'plugind:memory' },
  kernelFunction('plugind:begin', ['i32'], ['i32']),
  kernelFunction('plugind:alloc', ['i32'], ['i32']),
  kernelFunction('plugind:free', ['i32'], []),
  kernelFunction('plugind:length', ['i32'], ['i32']),
  kernelFunction('plugind:error_set', ['i32'], []),
];

function kernelFunction(
  name: keyof KernelExports,
  params: readonly 'i32'[],
  results: readonly 'i32'[],
): ShimImport {
  return { kind: 'function', module: KERNEL_ITEM, name, as: name, params, results };
}

interface KernelExports {
  readonly 'plugind:memory': WebAssembly.Memory;
  readonly 'plugind:begin': (length: number) => number;
  readonly 'plugind:alloc': (length: number) => number;
  readonly 'plugind:free': (pointer: number) => void;
  readonly 'plugind:length': (pointer: number) => number;
  readonly 'plugind:error_set': (pointer: number) => void;
}

/** What one call may use of the kernel. */
export interface KernelLimits {
  /** Input, output and every other block of one call together, in pages of 64 KiB. */
  readonly maxHeapPages: number;
  /** Longest output of one call. */
  readonly maxOutputBytes: number;
  /** An error text is cut to this. Default 64 KiB. */
  readonly maxErrorBytes?: number;
}

export class Kernel {
  readonly #exports: KernelExports;
  readonly #memory: WebAssembly.Memory;
  readonly #maxOutputBytes: number;
  readonly #maxErrorBytes: number;
  /** Views of the memory; growing it detaches them, which shows as length 0. */
  #bytes: Uint8Array<ArrayBuffer> = EMPTY;
  #buffer: Buffer = Buffer.alloc(0);
  #words: Int32Array = new Int32Array(0);

  /** @param exports those of the shim, or of the kernel itself. */
  constructor(exports: WebAssembly.Exports, limits: KernelLimits) {
    this.#exports = exports as unknown as KernelExports;
    this.#memory = this.#exports['plugind:memory'];
    this.#maxOutputBytes = limits.maxOutputBytes;
    this.#maxErrorBytes = limits.maxErrorBytes ?? MAX_ERROR_BYTES;
    const maxHeapBytes = Math.min(limits.maxHeapPages * PAGE_BYTES, MAX_HEAP_BYTES);
    this.#write(WORD.maxHeapBytes, maxHeapBytes);
  }

  /**
   * Wipes what the last call left and hands the kernel this call's input.
   * @throws ServerError `PLUGIN_LIMIT` when the input is larger than the heap may be.
   */
  begin(input: Uint8Array): void {
    const pointer = this.#exports['plugind:begin'](input.length);
    if (pointer > 0) {
      if (this.#bytes.length === 0) this.#refresh();
      this.#bytes.set(input, pointer);
    } else if (pointer < 0) {
      throw new ServerError(
        'PLUGIN_LIMIT',
        `an input of ${input.length} bytes is over the memory limit`,
        {
          details: { limit: 'memory.maxPages', inputBytes: input.length },
        },
      );
    }
  }

  /**
   * The call's output, as a copy of exactly its size.
   * @param returned what the guest's function returned; not 0 means failed, as in Extism's runtime.
   * @throws ServerError `PLUGIN_ERROR` with the guest's text as message, `PLUGIN_BAD_OUTPUT` when the
   * last `output_set` named bytes that are no block's, `PLUGIN_LIMIT` when the output is too long.
   */
  finish(returned: number | undefined): Uint8Array<ArrayBuffer> {
    if (this.#bytes.length === 0) this.#refresh();
    const words = this.#words;
    if (words[WORD.status] !== 0 || (returned !== 0 && returned !== undefined)) {
      throw this.#failure(returned ?? 0);
    }
    const length = words[WORD.outputLength] as number;
    // One of its own also here: who gets it may hand its buffer on.
    if (length === 0) return new Uint8Array(0);
    if (length > this.#maxOutputBytes) {
      throw new ServerError('PLUGIN_LIMIT', `the output of ${length} bytes is over the limit`, {
        details: {
          limit: 'memory.maxOutputBytes',
          maxOutputBytes: this.#maxOutputBytes,
          outputBytes: length,
        },
      });
    }
    const pointer = words[WORD.outputPointer] as number;
    return this.#bytes.slice(pointer, pointer + length);
  }

  /** The text of the block, decoded as UTF-8. */
  text(pointer: number, length: number): string {
    if (this.#bytes.length === 0) this.#refresh();
    return this.#buffer.toString('utf8', pointer, pointer + length);
  }

  /** A copy of the block's bytes. */
  copy(pointer: number, length: number): Uint8Array<ArrayBuffer> {
    if (this.#bytes.length === 0) this.#refresh();
    return this.#bytes.slice(pointer, pointer + length);
  }

  /** The block's bytes themselves, good until the next allocation. */
  view(pointer: number, length: number): Uint8Array {
    if (this.#bytes.length === 0) this.#refresh();
    return this.#bytes.subarray(pointer, pointer + length);
  }

  /** A new block with these bytes; 0 for no bytes, and past the limit. */
  store(content: Uint8Array | string): number {
    const length = typeof content === 'string' ? Buffer.byteLength(content) : content.length;
    const pointer = this.alloc(length);
    if (pointer === 0) return 0;
    if (this.#bytes.length === 0) this.#refresh();
    if (typeof content === 'string') {
      this.#buffer.write(content, pointer, length, 'utf8');
    } else {
      this.#bytes.set(content, pointer);
    }
    return pointer;
  }

  /** A new block; 0 for no bytes, and past the limit. */
  alloc(length: number): number {
    return length > MAX_HEAP_BYTES ? 0 : this.#exports['plugind:alloc'](length);
  }

  free(pointer: number): void {
    this.#exports['plugind:free'](pointer);
  }

  /** Length of the block that begins at `pointer`; 0 where none does. */
  lengthOf(pointer: number): number {
    return this.#exports['plugind:length'](pointer);
  }

  /** Makes the call fail with the text in that block, as the guest's `error_set` does. */
  setError(pointer: number): void {
    this.#exports['plugind:error_set'](pointer);
  }

  /** Lines below this level never leave the kernel: 0 trace to 4 error; 0x7fffffff is none at all. */
  get logLevel(): number {
    return this.#read(WORD.logLevel);
  }

  set logLevel(level: number) {
    this.#write(WORD.logLevel, level);
  }

  /** What the guest reads as `http_status_code`; back to 0 with each call. */
  set httpStatus(status: number) {
    this.#write(WORD.httpStatus, status);
  }

  /** Allocations of this call that the limit refused; with a trap after it, the limit was the cause. */
  get refusedAllocations(): number {
    return this.#read(WORD.refusedAllocations);
  }

  /** Heap that this call, or the last one, used at most: what the next `begin` wipes. */
  get usedBytes(): number {
    return this.#read(WORD.usedBytes);
  }

  /** Size of the kernel's memory. It never shrinks: one large call leaves a large instance. */
  get memoryBytes(): number {
    if (this.#bytes.length === 0) this.#refresh();
    return this.#bytes.length;
  }

  /** Of that, what calls allocate from, in pages of 64 KiB; the rest are the kernel's own tables. */
  get heapPages(): number {
    return this.memoryBytes / PAGE_BYTES - TABLE_PAGES;
  }

  #failure(returned: number): ServerError {
    const status = this.#read(WORD.status);
    const details = { exitCode: returned };
    if ((status & STATUS_ERROR) !== 0) {
      const length = Math.min(this.#read(WORD.errorLength), this.#maxErrorBytes);
      return new ServerError('PLUGIN_ERROR', this.text(this.#read(WORD.errorPointer), length), {
        details,
      });
    }
    if (status !== 0) {
      return new ServerError(
        'PLUGIN_BAD_OUTPUT',
        'the plugin gave bytes outside its memory as its output',
      );
    }
    return new ServerError('PLUGIN_ERROR', `the plugin returned ${returned}`, { details });
  }

  #read(word: number): number {
    if (this.#bytes.length === 0) this.#refresh();
    return this.#words[word] as number;
  }

  #write(word: number, value: number): void {
    if (this.#bytes.length === 0) this.#refresh();
    this.#words[word] = value;
  }

  #refresh(): void {
    const { buffer } = this.#memory;
    this.#bytes = new Uint8Array(buffer);
    this.#buffer = Buffer.from(buffer);
    this.#words = new Int32Array(buffer, 0, WORD_COUNT);
  }
}
