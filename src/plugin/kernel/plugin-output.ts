/**
 * Bytes of a block as a host function reads them, shaped like the SDK's `PluginOutput`. It holds a
 * copy: the kernel's memory may grow, and is wiped, while an embedder still holds the output.
 */
export class PluginOutput extends DataView<ArrayBuffer> {
  /** @param bytes a copy that nobody else writes to. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    super(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The text, parsed. */
  // biome-ignore lint/suspicious/noExplicitAny: the SDK's own type, which host functions are written for
  json(): any {
    return JSON.parse(this.text());
  }

  /** Decoded as UTF-8. */
  text(): string {
    return Buffer.from(this.buffer, this.byteOffset, this.byteLength).toString('utf8');
  }

  /** As {@link text}. */
  string(): string {
    return this.text();
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.buffer, this.byteOffset, this.byteLength);
  }

  /** The bytes alone: nothing else is in this buffer. */
  arrayBuffer(): ArrayBuffer {
    return this.buffer;
  }
}
