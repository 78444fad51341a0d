/**
 * A growable buffer that takes bytes, LEB128 numbers and ranges of another buffer. Ranges are
 * copied in bulk, because most of a rewritten module is its original bytes. Used by every file
 * of the guard that produces output.
 */

/** Below this many bytes a loop is faster than making a view for `set`. */
const BULK_COPY_BYTES = 48;

const encoder = new TextEncoder();

export class ByteWriter {
  length = 0;
  #buffer: Uint8Array;

  constructor(capacity: number) {
    this.#buffer = new Uint8Array(Math.max(capacity, 64));
  }

  /** Forgets what was written and keeps the memory. */
  clear(): void {
    this.length = 0;
  }

  u8(value: number): void {
    if (this.length === this.#buffer.length) this.#grow(1);
    this.#buffer[this.length] = value;
    this.length += 1;
  }

  /** An unsigned LEB128, shortest form. */
  u32(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.u8((rest & 0x7f) | 0x80);
      rest = Math.floor(rest / 128);
    }
    this.u8(rest);
  }

  /** A signed 32-bit LEB128, shortest form (the operand of i32.const). */
  s32(value: number): void {
    let rest = value;
    while (rest > 63 || rest < -64) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.u8(rest & 0x7f);
  }

  /** Appends `bytes[start, end)`. */
  range(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length <= 0) return;
    if (this.length + length > this.#buffer.length) this.#grow(length);
    if (length < BULK_COPY_BYTES) {
      const buffer = this.#buffer;
      for (let from = start, to = this.length; from < end; from += 1, to += 1) {
        buffer[to] = bytes[from] as number;
      }
    } else {
      this.#buffer.set(bytes.subarray(start, end), this.length);
    }
    this.length += length;
  }

  append(bytes: Uint8Array | readonly number[]): void {
    if (bytes instanceof Uint8Array) this.range(bytes, 0, bytes.length);
    else for (const byte of bytes) this.u8(byte);
  }

  /** Appends what another writer holds, with its length in front. */
  sized(other: ByteWriter): void {
    this.u32(other.length);
    this.range(other.#buffer, 0, other.length);
  }

  name(text: string): void {
    const bytes = encoder.encode(text);
    this.u32(bytes.length);
    this.append(bytes);
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array {
    return this.#buffer.slice(0, this.length);
  }

  #grow(room: number): void {
    const next = new Uint8Array(Math.max(this.#buffer.length * 2, this.length + room));
    next.set(this.#buffer.subarray(0, this.length));
    this.#buffer = next;
  }
}
