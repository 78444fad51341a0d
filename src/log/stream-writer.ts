/**
 * Writes lines to a stream that takes them in its own time, and counts on its callbacks: what is
 * not called back yet is held back. For pm2, which puts its own `write` in front of standard output
 * to bring lines to the app's log files, and for sockets, which cannot be opened a second time.
 */
import { type LogWriter, MAX_HELD_BYTES, waitUntil } from './log-writer.ts';

/** What is used of a stream. pm2's `write` takes the callback as its third argument only. */
export interface LineStream {
  write(text: string, encoding: 'utf8', callback: (error?: Error | null) => void): unknown;
}

export class StreamWriter implements LogWriter {
  readonly #stream: LineStream;
  #heldBytes = 0;
  #dropped = 0;

  constructor(stream: LineStream) {
    this.#stream = stream;
  }

  get droppedLines(): number {
    return this.#dropped;
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#heldBytes + bytes > MAX_HELD_BYTES) {
      this.#dropped++;
      return;
    }
    this.#heldBytes += bytes;
    try {
      this.#stream.write(line, 'utf8', (error) => this.#settle(bytes, error));
    } catch (error) {
      this.#settle(bytes, error);
    }
  }

  flush(deadlineMs: number): Promise<void> {
    return waitUntil(() => this.#heldBytes === 0, deadlineMs);
  }

  #settle(bytes: number, error: unknown): void {
    this.#heldBytes -= bytes;
    if (error !== undefined && error !== null) this.#dropped++;
  }
}
