/**
 * First argument of a host function that an embedder gives us: the names and shapes of the SDK's
 * `CallContext`, over our kernel. What it throws ends that call alone (bind-host-functions.ts).
 */
import { ServerError } from '../../errors.ts';
import { type GuestLogThreshold, logLevelName, logLevelNumber } from './guest-log.ts';
import type { Kernel } from './kernel.ts';
import { PluginOutput } from './plugin-output.ts';
import type { VarStore } from './var-store.ts';

/** A place in the kernel's memory, as guests pass it: an i64, so a bigint. */
export type BlockAddress = bigint | number;

const LARGEST_ADDRESS = 0x7fff_ffff;

export class CallContext {
  readonly #kernel: Kernel;
  readonly #vars: VarStore;
  #hostContext: unknown = null;

  constructor(kernel: Kernel, vars: VarStore) {
    this.#kernel = kernel;
    this.#vars = vars;
  }

  /** The engine's: says what {@link hostContext} gives during the next call. */
  begin(hostContext: unknown): void {
    this.#hostContext = hostContext;
  }

  /** What the caller of this one call passed along for host functions. */
  // biome-ignore lint/suspicious/noExplicitAny: the SDK's own default
  hostContext<T = any>(): T {
    return this.#hostContext as T;
  }

  /** A new block of the running call; 0n past the memory limit and for no bytes. */
  alloc(size: BlockAddress): bigint {
    return BigInt(this.#kernel.alloc(Number(size)));
  }

  free(address: BlockAddress): void {
    this.#kernel.free(pointerOf(address));
  }

  /** A copy of the block that begins at `address`; null where none does. */
  read(address: BlockAddress): PluginOutput | null {
    const pointer = pointerOf(address);
    const length = this.#kernel.lengthOf(pointer);
    return length === 0 ? null : new PluginOutput(this.#kernel.copy(pointer, length));
  }

  /**
   * Puts text (as UTF-8) or bytes into a new block and gives its address; 0n for no bytes.
   * @throws ServerError `PLUGIN_LIMIT` when the plugin may have no more memory.
   */
  store(input: string | Uint8Array): bigint {
    const pointer = this.#kernel.store(input);
    if (pointer === 0 && input.length > 0) {
      throw new ServerError('PLUGIN_LIMIT', 'the plugin needs more memory than it may have', {
        details: { limit: 'memory.maxPages' },
      });
    }
    return BigInt(pointer);
  }

  /** Length of the block that begins at `address`; 0n where none does. */
  length(address: BlockAddress): bigint {
    return BigInt(this.#kernel.lengthOf(pointerOf(address)));
  }

  getVariable(name: string): PluginOutput | null {
    const value = this.#vars.get(name);
    return value === undefined ? null : new PluginOutput(new Uint8Array(value));
  }

  /** @throws ServerError `PLUGIN_LIMIT`. */
  setVariable(name: string, value: string | Uint8Array): void {
    this.#vars.set(name, typeof value === 'string' ? Buffer.from(value, 'utf8') : value);
  }

  deleteVariable(name: string): void {
    this.#vars.delete(name);
  }

  /** Makes the call fail with this text, unless the guest takes the error back. */
  setError(error: string | Error | null = null): void {
    const text = error instanceof Error ? error.message : (error ?? '');
    // An address that is no block's sets an error without text.
    this.#kernel.setError(text === '' ? LARGEST_ADDRESS : Number(this.store(text)));
  }

  /** Of the running call; each begins with the same. */
  get logLevel(): GuestLogThreshold {
    return logLevelName(this.#kernel.logLevel);
  }

  set logLevel(level: GuestLogThreshold) {
    this.#kernel.logLevel = logLevelNumber(level);
  }
}

/** 0, which is no block, for whatever cannot be an address. */
function pointerOf(address: BlockAddress): number {
  return address > 0 && address <= LARGEST_ADDRESS ? Number(address) : 0;
}
