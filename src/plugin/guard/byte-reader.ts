/**
 * Reads the primitive values of the WebAssembly binary format from a range of bytes. It never
 * reads outside its range, and a count is checked against the bytes left before anyone allocates
 * for it. Used by the section readers; function bodies have a faster walk of their own (body-scan).
 */
import { malformed } from './refusal.ts';

// A byte order mark is part of a name; dropped, the name written back would be another one.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  pos: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.pos = start;
    this.end = end;
  }

  get atEnd(): boolean {
    return this.pos >= this.end;
  }

  u8(): number {
    const value = this.bytes[this.pos];
    if (value === undefined || this.pos >= this.end) throw malformed('unexpected end', this.pos);
    this.pos += 1;
    return value;
  }

  /** An unsigned LEB128 of at most 32 bits in at most five bytes. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value > 0xffffffff) break;
        return value;
      }
    }
    throw malformed('a number over 32 bits', this.pos);
  }

  /** A number of elements that follow, each at least `minBytes` long. */
  count(what: string, minBytes = 1): number {
    const at = this.pos;
    const count = this.u32();
    if (count * minBytes > this.end - this.pos) throw malformed(`${count} ${what} announced`, at);
    return count;
  }

  /** Passes over a LEB128 of up to 64 bits, signed or not. */
  skipLeb(): void {
    for (let length = 0; length < 10; length += 1) if (this.u8() < 0x80) return;
    throw malformed('a number over 64 bits', this.pos);
  }

  skip(length: number): void {
    if (length > this.end - this.pos) throw malformed('unexpected end', this.pos);
    this.pos += length;
  }

  /** The bytes of a length-prefixed name, as a view. */
  nameBytes(): Uint8Array {
    const length = this.count('bytes of a name');
    this.pos += length;
    return this.bytes.subarray(this.pos - length, this.pos);
  }

  name(): string {
    return decoder.decode(this.nameBytes());
  }
}
