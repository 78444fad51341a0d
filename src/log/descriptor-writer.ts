/**
 * Writes lines to a descriptor that never blocks, at once and in this thread. What a full pipe does
 * not take is held back and tried again; what a full disk or a closed pipe refuses is dropped and
 * counted, and the next line is tried as ever, so that the log goes on when there is room again.
 */
import { writeSync } from 'node:fs';
import { type LogWriter, MAX_HELD_BYTES, waitUntil } from './log-writer.ts';

/** As `fs.writeSync`: returns how many bytes were taken. */
export type WriteBytes = (bytes: Uint8Array, offset: number) => number;

const RETRY_MS = 50;

export class DescriptorWriter implements LogWriter {
  readonly #writeBytes: WriteBytes;
  readonly #held: Buffer[] = [];
  #heldBytes = 0;
  /** How much of the first held line is written. */
  #offset = 0;
  /** The last line that was begun was not ended. */
  #isCut = false;
  #dropped = 0;
  #retry: NodeJS.Timeout | null = null;

  constructor(writeBytes: WriteBytes) {
    this.#writeBytes = writeBytes;
  }

  get droppedLines(): number {
    return this.#dropped;
  }

  write(line: string): void {
    const bytes = Buffer.from(this.#isCut ? `\n${line}` : line);
    if (this.#heldBytes + bytes.length > MAX_HELD_BYTES) {
      this.#dropped++;
      return;
    }
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#retry === null) this.#writeHeld();
  }

  flush(deadlineMs: number): Promise<void> {
    return waitUntil(() => this.#held.length === 0, deadlineMs);
  }

  #writeHeld(): void {
    for (let line = this.#held[0]; line !== undefined; line = this.#held[0]) {
      try {
        this.#offset += this.#writeBytes(line, this.#offset);
      } catch (error) {
        if (isFull(error)) {
          this.#tryAgainLater();
          return;
        }
        this.#dropped++;
        this.#isCut ||= this.#offset > 0;
        this.#next(line);
        continue;
      }
      if (this.#offset < line.length) continue;
      this.#isCut = false;
      this.#next(line);
    }
  }

  #next(line: Buffer): void {
    this.#held.shift();
    this.#heldBytes -= line.length;
    this.#offset = 0;
  }

  #tryAgainLater(): void {
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#writeHeld();
    }, RETRY_MS);
    this.#retry.unref();
  }
}

/** Writes to an open descriptor that is a file, or was opened not to block. */
export function descriptorBytes(descriptor: number): WriteBytes {
  return (bytes, offset) => writeSync(descriptor, bytes, offset);
}

/** The reader of a pipe or terminal stands still. */
function isFull(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EAGAIN';
}
