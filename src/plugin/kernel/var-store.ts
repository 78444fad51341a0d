/**
 * The variables of one instance: bytes by name, bounded in size and number. Values are copied in, so
 * that no variable is a view of memory that a guest still writes to. Used by the kernel's host
 * functions and by the call context of an embedder's own.
 */
import { ServerError } from '../../errors.ts';

export interface VarLimits {
  /** Names (as UTF-8) and values together; 0 allows no variables. */
  readonly maxBytes: number;
  /** Each costs the host memory beyond its bytes. */
  readonly maxCount: number;
}

export class VarStore {
  readonly #limits: VarLimits;
  readonly #values = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(limits: VarLimits) {
    this.#limits = limits;
  }

  /** Names and values now, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A name longer than this cannot be there. */
  get maxBytes(): number {
    return this.#limits.maxBytes;
  }

  /** The stored value itself: the caller copies it and does not write to it. */
  get(name: string): Uint8Array | undefined {
    return this.#values.get(name);
  }

  /**
   * Stores a copy of `value`.
   * @throws ServerError `PLUGIN_LIMIT`; the variable then keeps its old value.
   */
  set(name: string, value: Uint8Array): void {
    const { maxBytes, maxCount } = this.#limits;
    const old = this.#values.get(name);
    const added =
      old === undefined ? Buffer.byteLength(name) + value.length : value.length - old.length;
    if (this.#bytes + added > maxBytes) {
      throw new ServerError(
        'PLUGIN_LIMIT',
        `the plugin's variables would be over ${maxBytes} bytes`,
        {
          details: { limit: 'memory.maxVarBytes', maxVarBytes: maxBytes },
        },
      );
    }
    if (old === undefined && this.#values.size >= maxCount) {
      throw new ServerError(
        'PLUGIN_LIMIT',
        `the plugin would have more than ${maxCount} variables`,
        {
          details: { limit: 'maxVars', maxVars: maxCount },
        },
      );
    }
    this.#values.set(name, new Uint8Array(value));
    this.#bytes += added;
  }

  delete(name: string): void {
    const old = this.#values.get(name);
    if (old === undefined) return;
    this.#values.delete(name);
    this.#bytes -= Buffer.byteLength(name) + old.length;
  }

  clear(): void {
    this.#values.clear();
    this.#bytes = 0;
  }
}
