/**
 * Test helper: a host made of stubs, the same at every run, for running real plugins twice and
 * comparing. It stands in for `extism:host/env` and WASI, and keeps a trace of every call into it.
 */

const SIZE = 1 << 22;
const INPUT = 1024;

export class StubHost {
  readonly trace: string[] = [];
  readonly imports: WebAssembly.Imports;
  /** Set after instantiation, for WASI calls that write to the guest's memory. */
  guestMemory: WebAssembly.Memory | undefined;
  #blocks = new DataView(new ArrayBuffer(SIZE));
  #lengths = new Map<bigint, bigint>();
  #next = BigInt(INPUT);
  #clock = 0n;
  #inputLength: number;

  constructor(module: WebAssembly.Module, input: Uint8Array) {
    new Uint8Array(this.#blocks.buffer).set(input, INPUT);
    this.#inputLength = input.length;
    this.#next += BigInt(input.length + 8);
    const imports: WebAssembly.Imports = {};
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
      if (kind !== 'function') throw new Error(`unexpected import of a ${kind}: ${from}.${name}`);
      imports[from] ??= {};
      imports[from][name] = this.#traced(
        name,
        from === 'extism:host/env' ? this.#env(name) : this.#wasi(name),
      );
    }
    this.imports = imports;
  }

  #traced(name: string, stub: (...args: never[]) => unknown): () => unknown {
    return (...args: never[]) => {
      const result = stub(...args);
      this.trace.push(`${name}(${args.join(', ')}) -> ${result}`);
      return result;
    };
  }

  #env(name: string): (...args: never[]) => unknown {
    const view = this.#blocks;
    const at = (offset: bigint): number => Number(BigInt.asUintN(22, offset));
    const input = (offset: bigint): number => INPUT + Number(offset);
    const stubs: Record<string, (...args: bigint[]) => unknown> = {
      input_length: () => BigInt(this.#inputLength),
      input_offset: () => BigInt(INPUT),
      input_load_u8: (offset) => view.getUint8(input(offset as bigint)),
      input_load_u64: (offset) => view.getBigInt64(input(offset as bigint), true),
      load_u8: (offset) => view.getUint8(at(offset as bigint)),
      load_u64: (offset) => view.getBigInt64(at(offset as bigint), true),
      store_u8: (offset, value) => view.setUint8(at(offset as bigint), Number(value)),
      store_u64: (offset, value) => view.setBigInt64(at(offset as bigint), value as bigint, true),
      alloc: (length) => {
        const block = this.#next;
        this.#lengths.set(block, length as bigint);
        this.#next += ((length as bigint) + 15n) & ~7n;
        return block;
      },
      length: (offset) => this.#lengths.get(offset as bigint) ?? 0n,
      length_unsafe: (offset) => this.#lengths.get(offset as bigint) ?? 0n,
      output_set: (offset, length) => {
        const bytes = new Uint8Array(view.buffer, at(offset as bigint), Number(length));
        this.trace.push(`output ${Buffer.from(bytes).toString('hex')}`);
      },
      config_get: () => 0n,
      var_get: () => 0n,
      http_request: () => 0n,
      error_get: () => 0n,
    };
    // What is left returns nothing, or an i32 of 0.
    return (
      stubs[name] ?? (() => (name === 'http_status_code' || name === 'get_log_level' ? 0 : 0n))
    );
  }

  #wasi(name: string): (...args: never[]) => unknown {
    const view = (): DataView => new DataView(this.guestMemory?.buffer ?? new ArrayBuffer(0));
    const stubs: Record<string, (...args: number[]) => unknown> = {
      clock_time_get: (_id, _precision, result = 0) => {
        this.#clock += 1000n;
        view().setBigInt64(result, this.#clock, true);
        return 0;
      },
      random_get: (pointer = 0, length = 0) => {
        for (let index = 0; index < length; index += 1) view().setUint8(pointer + index, index);
        return 0;
      },
      args_sizes_get: (count = 0, size = 0) => {
        view().setInt32(count, 0);
        view().setInt32(size, 0);
        return 0;
      },
      fd_write: (_fd, vectors = 0, count = 0, written = 0) => {
        let total = 0;
        for (let index = 0; index < count; index += 1) {
          const length = view().getInt32(vectors + index * 8 + 4, true);
          const start = view().getInt32(vectors + index * 8, true);
          this.trace.push(Buffer.from(view().buffer, start, length).toString('hex'));
          total += length;
        }
        view().setInt32(written, total, true);
        return 0;
      },
      fd_prestat_get: () => 8,
      fd_prestat_dir_name: () => 8,
      proc_exit: (code) => {
        throw new WebAssembly.RuntimeError(`exit ${code}`);
      },
    };
    stubs.environ_sizes_get = stubs.args_sizes_get as (...args: number[]) => unknown;
    return stubs[name] ?? (() => 0);
  }
}
