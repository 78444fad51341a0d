/**
 * A position in a function body, with the few reads that the walk needs. Unlike ByteReader it does
 * not check each byte: past the end of the module a byte reads as 0, which ends every number, and
 * the walk checks its position once for each instruction.
 */
import { MEMARG, SIMD_BYTES_16, SIMD_LANE, SIMD_MEMARG_LANE } from './opcodes.ts';

export class CodeCursor {
  pos = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  peek(): number {
    return this.#bytes[this.pos] ?? 0;
  }

  skipLeb(): void {
    const bytes = this.#bytes;
    let pos = this.pos;
    while ((bytes[pos] as number) >= 0x80) pos += 1;
    this.pos = pos + 1;
  }

  u32(): number {
    let byte = this.#bytes[this.pos] ?? 0;
    this.pos += 1;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let scale = 128;
    do {
      byte = this.#bytes[this.pos] ?? 0;
      this.pos += 1;
      value += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte >= 0x80);
    return value;
  }

  /** The operand of i32.const, read as unsigned. */
  i32AsUnsigned(): number {
    let value = 0;
    let shift = 0;
    let byte = 0;
    do {
      byte = this.#bytes[this.pos] ?? 0;
      this.pos += 1;
      value |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80);
    if (shift < 32 && (byte & 0x40) !== 0) value |= -1 << shift;
    return value >>> 0;
  }

  skipMemoryArgument(): void {
    // Bit 6 of the alignment says that a memory index follows it.
    const hasMemory = (this.peek() & 0x40) !== 0;
    this.skipLeb();
    if (hasMemory) this.skipLeb();
    this.skipLeb();
  }

  skipSimdImmediates(shape: number): void {
    if (shape === MEMARG || shape === SIMD_MEMARG_LANE) this.skipMemoryArgument();
    if (shape === SIMD_BYTES_16) this.pos += 16;
    if (shape === SIMD_LANE || shape === SIMD_MEMARG_LANE) this.pos += 1;
  }
}
