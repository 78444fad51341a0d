/**
 * Kernel instances of one plugin, used again: a new instance of the plugin takes the kernel of one that
 * was closed. A kernel is 17 pages of memory, most of what a small plugin's instance has, and V8
 * collects garbage by how much memory there is: with a kernel each, a new instance of hello took 4 ms
 * of CPU, with one used again 0.7. A kernel wipes the last call at the next one's beginning in any case.
 */
import { RESERVED_PREFIX } from '../guard/guarded-module.ts';
import { KERNEL_HOST_NAMESPACE } from './kernel.ts';
import type { KernelHost } from './kernel-host.ts';
import { loadKernel } from './load-kernel.ts';

/** More than this are closed at about the same time by large pools only. */
const MAX_SPARE = 4;

export interface KernelInstance {
  readonly exports: WebAssembly.Exports;
  /** Its functions for guests, in the form of the SDK's host functions. */
  readonly linked: Readonly<Record<string, unknown>>;
  /** Whose functions it calls. */
  host: KernelHost;
}

export class KernelStore {
  readonly #spare: KernelInstance[] = [];

  /** A spare one, else a new one. */
  take(host: KernelHost): KernelInstance {
    const kernel = this.#spare.pop();
    if (kernel === undefined) return instantiate(host);
    kernel.host = host;
    return kernel;
  }

  /** Only of an instance that is closed, is not poisoned, and whose calls cannot be going on. */
  giveBack(kernel: KernelInstance): void {
    if (this.#spare.length < MAX_SPARE) this.#spare.push(kernel);
  }
}

/** Instantiated by us, since its memory has to be reached beside the guest's: see link-plan.ts. */
function instantiate(host: KernelHost): KernelInstance {
  const functions: Record<string, unknown> = {};
  for (const name of Object.keys(host.functions)) {
    const direct = (...numbers: number[]): unknown =>
      kernel.host.functions[name]?.(undefined, ...numbers);
    functions[name] =
      name === 'http_request' && host.suspends && WebAssembly.Suspending !== undefined
        ? new WebAssembly.Suspending(direct)
        : direct;
  }
  const imports = { [KERNEL_HOST_NAMESPACE]: functions } as WebAssembly.Imports;
  const { exports } = new WebAssembly.Instance(loadKernel(), imports);
  const kernel: KernelInstance = { exports, linked: unbound(exports), host };
  return kernel;
}

/**
 * The kernel's functions in the form of host functions. The SDK binds each of those to its call
 * context; a bound function is JavaScript, and every load of a guest would leave wasm for it. These
 * answer `bind` with themselves, so that guests are linked to the kernel directly.
 */
function unbound(exports: WebAssembly.Exports): Record<string, unknown> {
  const functions = Object.entries(exports).filter(
    ([name, member]) => typeof member === 'function' && !name.startsWith(RESERVED_PREFIX),
  );
  return Object.fromEntries(functions.map(([name, member]) => [name, { bind: () => member }]));
}
