/**
 * Bounds-checked access to a guest's memory. Pointers and lengths are what the guest passed: any
 * number at all, read as unsigned. Nothing here throws; an access out of bounds says so.
 */
import { ERRNO, type Errno } from './errno.ts';

/** Most buffers of one read or write; more is an error, as with POSIX's IOV_MAX. */
const MAX_VECTORS = 1024;
/** Most bytes that one read or write moves; the guest sees a short count. */
export const MAX_TRANSFER_BYTES: number = 262_144;

const VECTOR_BYTES = 8;
const EMPTY = new Uint8Array(0);

export class GuestMemory {
  #memory: WebAssembly.Memory | null = null;
  #bytes: Uint8Array<ArrayBuffer> = EMPTY;
  #view: DataView = new DataView(EMPTY.buffer);

  /** Until then nothing is in bounds. */
  attach(memory: WebAssembly.Memory): void {
    this.#memory = memory;
    this.#refresh();
  }

  /** Whether all of these bytes exist. */
  has(pointer: number, length: number): boolean {
    // Growing detaches the buffer, which then has a length of 0.
    const end = (pointer >>> 0) + (length >>> 0);
    if (this.#bytes.length === 0) this.#refresh();
    return end <= this.#bytes.length;
  }

  /** The bytes themselves, good until the guest runs again; null out of bounds. */
  bytes(pointer: number, length: number): Uint8Array<ArrayBuffer> | null {
    if (!this.has(pointer, length)) return null;
    return this.#bytes.subarray(pointer >>> 0, (pointer >>> 0) + (length >>> 0));
  }

  /** For what {@link has} found to be in bounds. */
  view(pointer: number, length: number): DataView {
    return new DataView(this.#bytes.buffer, pointer >>> 0, length);
  }

  writeU32(pointer: number, value: number): Errno {
    if (!this.has(pointer, 4)) return ERRNO.fault;
    this.#view.setUint32(pointer >>> 0, value, true);
    return ERRNO.success;
  }

  writeU64(pointer: number, value: bigint): Errno {
    if (!this.has(pointer, 8)) return ERRNO.fault;
    this.#view.setBigUint64(pointer >>> 0, value, true);
    return ERRNO.success;
  }

  write(pointer: number, content: Uint8Array): Errno {
    if (!this.has(pointer, content.length)) return ERRNO.fault;
    this.#bytes.set(content, pointer >>> 0);
    return ERRNO.success;
  }

  /**
   * The buffers of a read or write, up to {@link MAX_TRANSFER_BYTES} together. All of those named
   * must be in bounds, also those past that sum.
   */
  vectors(pointer: number, count: number): readonly Uint8Array<ArrayBuffer>[] | Errno {
    const length = count >>> 0;
    if (length > MAX_VECTORS) return ERRNO.inval;
    if (!this.has(pointer, length * VECTOR_BYTES)) return ERRNO.fault;
    const found: Uint8Array<ArrayBuffer>[] = [];
    let left = MAX_TRANSFER_BYTES;
    for (let at = pointer >>> 0, end = at + length * VECTOR_BYTES; at < end; at += VECTOR_BYTES) {
      const from = this.#view.getUint32(at, true);
      const bytes = this.bytes(from, this.#view.getUint32(at + 4, true));
      if (bytes === null) return ERRNO.fault;
      if (left > 0 && bytes.length > 0) found.push(bytes.subarray(0, left));
      left -= Math.min(left, bytes.length);
    }
    return found;
  }

  #refresh(): void {
    if (this.#memory === null) return;
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#view = new DataView(this.#memory.buffer);
  }
}
