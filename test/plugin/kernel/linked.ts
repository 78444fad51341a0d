/**
 * Helpers of the kernel's tests: assembles WAT, and links guests with the kernel, either by hand
 * (one plain instance) or as the engine does, through the SDK's manifest with a `main` shim.
 */
import { readFileSync } from 'node:fs';
import createPlugin, { type ExtismPluginOptions, type Plugin } from '@extism/extism';
import createWabt from 'wabt';
import type { ServerError } from '../../../src/errors.ts';
import {
  bindHostFunctions,
  type HostFunctions,
} from '../../../src/plugin/kernel/bind-host-functions.ts';
import { CallContext } from '../../../src/plugin/kernel/call-context.ts';
import type { GuestLogLine } from '../../../src/plugin/kernel/guest-log.ts';
import {
  KERNEL_HOST_NAMESPACE,
  KERNEL_ITEM,
  KERNEL_SHIM_IMPORTS,
  Kernel,
} from '../../../src/plugin/kernel/kernel.ts';
import { KernelHost, type KernelHostOptions } from '../../../src/plugin/kernel/kernel-host.ts';
import { loadKernel } from '../../../src/plugin/kernel/load-kernel.ts';
import { encodeShim, type ShimImport } from '../../../src/plugin/kernel/shim.ts';

export const GUEST_ITEM = 'plugind:guest';
/** Where the kernel's heap begins. */
export const HEAP = 0x100000;

const wabt = await createWabt();
const FEATURES = {
  bulk_memory: true,
  mutable_globals: true,
  multi_value: true,
  reference_types: true,
  exceptions: true,
};

export function assemble(wat: string): WebAssembly.Module {
  const parsed = wabt.parseWat('guest.wat', wat, FEATURES);
  const { buffer } = parsed.toBinary({});
  parsed.destroy();
  return new WebAssembly.Module(buffer as Uint8Array<ArrayBuffer>);
}

/** The kernel's own source, for tests that take a protection out of it. */
export const KERNEL_WAT: string = `(module ${['kernel', 'kernel-blocks', 'kernel-calls']
  .map((part) =>
    readFileSync(new URL(`../../../src/plugin/kernel/${part}.wat`, import.meta.url), 'utf8'),
  )
  .join('\n')})`;

export function example(name: string): WebAssembly.Module {
  const file = new URL(`../../../examples/${name}/${name}.wasm`, import.meta.url);
  return new WebAssembly.Module(readFileSync(file));
}

/** The ABI as a guest sees it. */
export interface Abi {
  input_length(): bigint;
  input_offset(): bigint;
  input_load_u8(offset: bigint): number;
  input_load_u64(offset: bigint): bigint;
  load_u8(pointer: bigint): number;
  load_u64(pointer: bigint): bigint;
  store_u8(pointer: bigint, value: number): void;
  store_u64(pointer: bigint, value: bigint): void;
  alloc(length: bigint): bigint;
  free(pointer: bigint): void;
  length(pointer: bigint): bigint;
  length_unsafe(pointer: bigint): bigint;
  output_set(pointer: bigint, length: bigint): void;
  error_set(pointer: bigint): void;
  error_get(): bigint;
  config_get(key: bigint): bigint;
  var_get(key: bigint): bigint;
  var_set(key: bigint, value: bigint): void;
  http_request(request: bigint, body: bigint): bigint;
  http_status_code(): number;
  http_headers(): bigint;
  log_trace(line: bigint): void;
  log_debug(line: bigint): void;
  log_info(line: bigint): void;
  log_warn(line: bigint): void;
  log_error(line: bigint): void;
  get_log_level(): number;
}

export interface TestKernelOptions extends Partial<KernelHostOptions> {
  readonly maxHeapPages?: number;
  readonly maxOutputBytes?: number;
  /** Another kernel than the real one: with a protection taken out. */
  readonly module?: WebAssembly.Module;
}

export interface TestKernel {
  readonly abi: Abi;
  readonly kernel: Kernel;
  readonly host: KernelHost;
  readonly memory: WebAssembly.Memory;
  readonly lines: GuestLogLine[];
  readonly trips: ServerError[];
  /** Begins a call: what the engine does. */
  begin(input?: string | Uint8Array): void;
  /** A block with this text, as a guest's PDK makes it. */
  text(value: string): bigint;
  read(pointer: bigint): string;
}

export function createHost(options: TestKernelOptions = {}): {
  host: KernelHost;
  lines: GuestLogLine[];
  trips: ServerError[];
} {
  const lines: GuestLogLine[] = [];
  const trips: ServerError[] = [];
  const host = new KernelHost({
    config: {},
    vars: { maxBytes: 1024, maxCount: 100 },
    log: { maxLines: 10, maxLineBytes: 100 },
    logSink: (line) => lines.push(line),
    http: null,
    mayGrow: () => true,
    maxRefusedAllocations: 16,
    trip: (error) => trips.push(error),
    checkDeadline: () => {},
    isOver: () => false,
    remainingMs: () => 60_000,
    ...options,
  });
  return { host, lines, trips };
}

/** A kernel alone; the test plays the guest. */
export function createTestKernel(options: TestKernelOptions = {}): TestKernel {
  const { host, lines, trips } = createHost(options);
  const imports = Object.fromEntries(
    Object.entries(host.functions).map(([name, fn]) => [name, fn.bind(null, null)]),
  );
  const instance = new WebAssembly.Instance(options.module ?? loadKernel(), {
    [KERNEL_HOST_NAMESPACE]: imports,
  });
  const abi = instance.exports as unknown as Abi;
  const memory = instance.exports['plugind:memory'] as WebAssembly.Memory;
  const kernel = new Kernel(instance.exports, {
    maxHeapPages: options.maxHeapPages ?? 64,
    maxOutputBytes: options.maxOutputBytes ?? 1 << 20,
  });
  host.attach(kernel);
  return {
    abi,
    kernel,
    host,
    memory,
    lines,
    trips,
    begin(input = '') {
      host.begin();
      kernel.begin(typeof input === 'string' ? Buffer.from(input) : input);
    },
    text(value) {
      const bytes = Buffer.from(value);
      const pointer = abi.alloc(BigInt(bytes.length));
      bytes.forEach((byte, index) => {
        abi.store_u8(pointer + BigInt(index), byte);
      });
      return pointer;
    },
    read(pointer) {
      const bytes = Buffer.alloc(Number(abi.length(pointer)));
      for (let i = 0; i < bytes.length; i++) bytes[i] = abi.load_u8(pointer + BigInt(i));
      return bytes.toString();
    },
  };
}

export interface LinkedOptions extends TestKernelOptions {
  /** Manifest items beside the kernel and the shim; the plugin itself is `plugind:guest`. */
  readonly items: Readonly<Record<string, WebAssembly.Module>>;
  /** What the shim shall re-export beside the kernel's own; functions of `plugind:guest` by name are `() -> i32`. */
  readonly functions?: readonly string[];
  readonly shim?: readonly ShimImport[];
  readonly hostFunctions?: HostFunctions;
  readonly sdk?: ExtismPluginOptions;
}

export interface Linked {
  readonly kernel: Kernel;
  readonly host: KernelHost;
  readonly context: CallContext;
  readonly exports: WebAssembly.Exports;
  readonly plugin: Plugin;
  readonly lines: GuestLogLine[];
  readonly trips: ServerError[];
  /** A whole call, as the engine makes it. */
  call(name: string, input?: string | Uint8Array, hostContext?: unknown): string;
}

/** Links through the SDK, as the engine does. */
export async function link(options: LinkedOptions): Promise<Linked> {
  const { host, lines, trips } = createHost(options);
  const shim = encodeShim([
    ...KERNEL_SHIM_IMPORTS,
    ...(options.functions ?? []).map(
      (name): ShimImport => ({
        kind: 'function',
        module: GUEST_ITEM,
        name,
        as: name,
        params: [],
        results: ['i32'],
      }),
    ),
    ...(options.shim ?? []),
  ]);
  let context: CallContext | null = null;
  const plugin = await createPlugin(
    {
      wasm: [
        { name: KERNEL_ITEM, module: loadKernel() as never },
        ...Object.entries(options.items).map(([name, module]) => ({
          name,
          module: module as never,
        })),
        { name: 'main', module: new WebAssembly.Module(shim) as never },
      ],
    },
    {
      ...options.sdk,
      functions: {
        ...bindHostFunctions(options.hostFunctions ?? {}, {
          host,
          context: () => context as CallContext,
          resultTypes: new Map(),
        }),
        [KERNEL_HOST_NAMESPACE]: host.functions,
      },
    },
  );
  const { exports } = (await plugin.getInstance()) as unknown as WebAssembly.Instance;
  const kernel = new Kernel(exports, {
    maxHeapPages: options.maxHeapPages ?? 64,
    maxOutputBytes: options.maxOutputBytes ?? 1 << 20,
  });
  host.attach(kernel);
  const callContext = new CallContext(kernel, host.vars);
  context = callContext;
  return {
    kernel,
    host,
    context: callContext,
    exports,
    plugin,
    lines,
    trips,
    call(name, input = '', hostContext = null) {
      host.begin();
      callContext.begin(hostContext);
      kernel.begin(typeof input === 'string' ? Buffer.from(input) : input);
      const returned = (exports[name] as () => number | undefined)();
      if (host.tripped !== null) throw host.tripped;
      return Buffer.from(kernel.finish(returned)).toString();
    },
  };
}
