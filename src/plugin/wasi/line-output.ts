/**
 * What a guest writes to its stdout and stderr, as lines: bounded in length and number, escaped, and
 * given to the sink one at a time. The process's own stdout and stderr are never involved.
 */
import { ServerError } from '../../errors.ts';
import { escapeUnprintable, type LogLimits } from '../kernel/guest-log.ts';

export type OutputStream = 'stdout' | 'stderr';

/**
 * Takes one line, at once.
 * @param line printable text: control characters and direction marks are escaped (`\u001b`).
 * @param truncatedBytes bytes of the guest's line that were cut off.
 */
export type OutputSink = (stream: OutputStream, line: string, truncatedBytes: number) => void;

const NEWLINE = 0x0a;

/** A line that has not ended yet. */
interface PartialLine {
  readonly stream: OutputStream;
  readonly kept: Buffer;
  /** Of the whole line, with what did not fit into `kept`. */
  length: number;
}

export class LineOutput {
  readonly #sink: OutputSink;
  readonly #limits: LogLimits;
  readonly #partial = new Map<OutputStream, PartialLine>();
  #lines = 0;

  constructor(sink: OutputSink, limits: LogLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /** A new call may write as many lines anew. */
  begin(): void {
    this.#lines = 0;
    if (this.#partial.size > 0) this.#partial.clear();
  }

  /** @throws ServerError `PLUGIN_LIMIT` for a line too many. */
  write(stream: OutputStream, bytes: Uint8Array): void {
    const line = this.#partial.get(stream) ?? this.#start(stream);
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
      append(line, bytes.subarray(from, at));
      this.#count();
      this.#emit(line);
      from = at + 1;
    }
    append(line, bytes.subarray(from));
  }

  /** Gives the sink what is left without a newline, as far as the call's number of lines goes. */
  end(): void {
    for (const line of this.#partial.values()) {
      if (line.length === 0 || this.#lines >= this.#limits.maxLines) continue;
      this.#lines++;
      this.#emit(line);
    }
    this.#partial.clear();
  }

  #start(stream: OutputStream): PartialLine {
    const kept = Buffer.allocUnsafeSlow(this.#limits.maxLineBytes);
    const line = { stream, kept, length: 0 };
    this.#partial.set(stream, line);
    return line;
  }

  #count(): void {
    const { maxLines } = this.#limits;
    this.#lines++;
    if (this.#lines <= maxLines) return;
    throw new ServerError(
      'PLUGIN_LIMIT',
      `the plugin wrote more than ${maxLines} lines in one call`,
      { details: { limit: 'maxLogLines', maxLogLines: maxLines } },
    );
  }

  #emit(line: PartialLine): void {
    const kept = Math.min(line.length, line.kept.length);
    const truncatedBytes = line.length - kept;
    let text = line.kept.toString('utf8', 0, kept);
    // The cut may have gone through a character.
    text = truncatedBytes > 0 ? text.replace(/\ufffd$/u, '') : text.replace(/\r$/u, '');
    line.length = 0;
    this.#sink(line.stream, escapeUnprintable(text), truncatedBytes);
  }
}

function append(line: PartialLine, bytes: Uint8Array): void {
  const room = line.kept.length - line.length;
  if (room > 0) line.kept.set(bytes.subarray(0, room), line.length);
  line.length += bytes.length;
}
