/**
 * Collects a response's body up to a limit. One buffer that doubles: a list of chunks would cost
 * hundreds of bytes for each one-byte chunk that a server cares to send.
 */

const FIRST_BYTES = 16_384;

export class BoundedBody {
  readonly #maxBytes: number;
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** False, and nothing is added, when it would be over the limit. */
  add(chunk: Uint8Array): boolean {
    const length = this.#length + chunk.length;
    if (length > this.#maxBytes) return false;
    if (length > this.#buffer.length) this.#grow(length);
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
    return true;
  }

  /** Exactly the body, in a buffer of its own. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#length === this.#buffer.length
      ? this.#buffer
      : this.#buffer.slice(0, this.#length);
  }

  #grow(needed: number): void {
    const wanted = Math.max(needed, this.#buffer.length * 2, FIRST_BYTES);
    const grown = new Uint8Array(Math.min(wanted, this.#maxBytes));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
