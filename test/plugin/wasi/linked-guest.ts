/**
 * Helper of WASI's tests: links a guarded guest with the kernel and with WASI's item by hand, and
 * runs it under a deadline on the real clock.
 */
import { guardModule } from '../../../src/plugin/guard/guard.ts';
import {
  GUARD_EXPORTS,
  type GuardedModule,
  type GuardOptions,
} from '../../../src/plugin/guard/guarded-module.ts';
import { KERNEL_HOST_NAMESPACE, KERNEL_ITEM, Kernel } from '../../../src/plugin/kernel/kernel.ts';
import { KernelHost } from '../../../src/plugin/kernel/kernel-host.ts';
import { loadKernel } from '../../../src/plugin/kernel/load-kernel.ts';
import { encodeShim, type ShimImport } from '../../../src/plugin/kernel/shim.ts';
import { createGuestWasi, type GuestWasi } from '../../../src/plugin/wasi/guest-wasi.ts';
import type { Preopen } from '../../../src/plugin/wasi/mounts.ts';
import {
  encodeWasiItem,
  WASI_HOST_NAMESPACE,
  WASI_ITEM,
} from '../../../src/plugin/wasi/wasi-item.ts';

export const GUARD: GuardOptions = {
  label: 'guest',
  maxMemoryPages: 1024,
  maxTableElements: 100_000,
  snapshot: null,
};
const FUEL = 10_000;
/** A table takes only functions that wasm exports. */
const ANSWERS: readonly ShimImport[] = [
  {
    kind: 'function',
    module: KERNEL_HOST_NAMESPACE,
    name: 'refuel',
    as: 'refuel',
    params: [],
    results: ['i32'],
  },
  {
    kind: 'function',
    module: KERNEL_HOST_NAMESPACE,
    name: 'grow',
    as: 'grow',
    params: ['i32'],
    results: ['i32'],
  },
];
const LOG = { maxLines: 100, maxLineBytes: 200 };

export interface LinkedGuestOptions {
  readonly preopens?: readonly Preopen[];
  readonly timeoutMs?: number;
}

export class LinkedGuest {
  readonly lines: string[] = [];
  readonly wasi: GuestWasi;
  readonly #host: KernelHost;
  readonly #timeoutMs: number;
  #exports: WebAssembly.Exports = {};
  #kernel: Kernel | null = null;
  #fuel: WebAssembly.Global<number> | null = null;
  #endsAt = 0;

  constructor(bytes: Uint8Array, options: LinkedGuestOptions = {}) {
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    const checkDeadline = (): void => {
      if (this.#remainingMs() <= 0) this.#stop();
    };
    this.#host = new KernelHost({
      config: {},
      vars: { maxBytes: 1024, maxCount: 10 },
      log: LOG,
      logSink: () => {},
      http: null,
      mayGrow: () => true,
      maxRefusedAllocations: 4,
      trip: () => this.#stop(),
      checkDeadline,
      isOver: () => false,
      remainingMs: () => this.#remainingMs(),
    });
    this.wasi = createGuestWasi({
      preopens: options.preopens ?? [],
      output: LOG,
      outputSink: (stream, line) => this.lines.push(`${stream}: ${line}`),
      remainingMs: () => this.#remainingMs(),
      checkDeadline,
      isOver: () => false,
      trip: (error) => this.#host.trip(error),
    });
    this.#link(guardModule(bytes, GUARD));
  }

  /** A whole call: its output, `exit N`, or what was thrown. */
  call(name: string, input = ''): string {
    const kernel = this.#kernel as Kernel;
    kernel.begin(Buffer.from(input));
    try {
      const returned = this.#run(name);
      if (this.wasi.exitCode !== null) return `exit ${this.wasi.exitCode}`;
      return Buffer.from(kernel.finish(returned)).toString();
    } catch (thrown) {
      if (this.wasi.isExit(thrown)) return `exit ${this.wasi.exitCode}`;
      throw this.#host.tripped ?? thrown;
    }
  }

  close(): void {
    this.wasi.close();
  }

  #run(name: string): number | undefined {
    this.#host.begin();
    this.wasi.begin();
    this.#endsAt = performance.now() + this.#timeoutMs;
    (this.#fuel as WebAssembly.Global<number>).value = FUEL;
    try {
      return (this.#exports[name] as () => number | undefined)();
    } finally {
      this.wasi.end();
    }
  }

  #link(guarded: GuardedModule): void {
    const wasi = encodeWasiItem(guarded.imports) as Uint8Array<ArrayBuffer>;
    const kernel = instantiate(loadKernel(), {
      [KERNEL_HOST_NAMESPACE]: bind(this.#host.functions),
    });
    const guest = instantiate(guarded.module, {
      [KERNEL_ITEM]: kernel as never,
      [WASI_ITEM]: instantiate(new WebAssembly.Module(wasi), {
        [WASI_HOST_NAMESPACE]: bind(this.wasi.functions),
      }) as never,
    });
    this.#exports = guest;
    this.#kernel = new Kernel(kernel, { maxHeapPages: 64, maxOutputBytes: 1 << 20 });
    this.#host.attach(this.#kernel);
    this.#fuel = guest[GUARD_EXPORTS.fuel] as WebAssembly.Global<number>;
    const answers = instantiate(new WebAssembly.Module(encodeShim(ANSWERS)), {
      [KERNEL_HOST_NAMESPACE]: { refuel: () => this.#refuel(), grow: () => 1 } as never,
    });
    const check = guest[GUARD_EXPORTS.check] as WebAssembly.Table;
    check.set(0, answers.refuel);
    check.set(1, answers.grow);
    this.wasi.attach(guest[GUARD_EXPORTS.memory] as WebAssembly.Memory);
    const initialise = guarded.functions.find(({ name }) => name === '_initialize');
    if (initialise !== undefined) this.#run(initialise.exportName);
  }

  #remainingMs(): number {
    return this.#endsAt - performance.now();
  }

  #refuel(): number {
    return this.#remainingMs() > 0 && this.#host.tripped === null ? FUEL : 0;
  }

  #stop(): void {
    if (this.#fuel !== null) this.#fuel.value = 0;
  }
}

/** The SDK gives its call context as first argument. */
function bind(
  functions: Readonly<Record<string, (...values: never[]) => unknown>>,
): Record<string, WebAssembly.ExportedFunction> {
  return Object.fromEntries(
    Object.entries(functions).map(([name, work]) => [
      name,
      (...values) => work(null as never, ...values),
    ]),
  );
}

function instantiate(
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
): WebAssembly.Exports {
  return new WebAssembly.Instance(module, imports).exports;
}
