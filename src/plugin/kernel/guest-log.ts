/**
 * A guest's log lines: levels, bounds and escaping. A line reaches the sink as one line of printable
 * text, whatever the guest wrote; the log itself (format, destination, plugin's name) is the sink's.
 */
import { ServerError } from '../../errors.ts';
import type { Kernel } from './kernel.ts';

/** Extism's levels in the order of its numbers; `silent` is 0x7fffffff. */
export type GuestLogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';
export type GuestLogThreshold = GuestLogLevel | 'silent';

export interface GuestLogLine {
  readonly level: GuestLogLevel;
  /** Control characters, line breaks and direction marks are escaped: `\n`, `\u001b`. */
  readonly message: string;
  /** Bytes of the guest's line that were cut off. */
  readonly truncatedBytes: number;
}

/** Takes one line, at once. */
export type LogSink = (line: GuestLogLine) => void;

export interface LogLimits {
  /** Lines of one call; one more ends the call. */
  readonly maxLines: number;
  /** A longer line is cut. */
  readonly maxLineBytes: number;
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
const SILENT = 0x7fff_ffff;
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

export class GuestLog {
  readonly #sink: LogSink;
  readonly #limits: LogLimits;
  #lines = 0;

  constructor(sink: LogSink, limits: LogLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /** A new call may log as many lines anew. */
  begin(): void {
    this.#lines = 0;
  }

  /**
   * A line of the guest's; the kernel has filtered its level.
   * @throws ServerError `PLUGIN_LIMIT` for a line too many.
   */
  write(kernel: Kernel, level: number, pointer: number, length: number): void {
    const kept = Math.min(length, this.#limits.maxLineBytes);
    this.#count();
    let text = kernel.text(pointer, kept);
    // The cut may have gone through a character.
    if (kept < length) text = text.replace(/\ufffd$/u, '');
    this.#sink({
      level: LEVELS[level] ?? 'error',
      message: escapeUnprintable(text),
      truncatedBytes: length - kept,
    });
  }

  /** A line of ours about what the guest tried; counted as its own. */
  report(kernel: Kernel, level: GuestLogLevel, message: string): void {
    this.#count();
    if (logLevelNumber(level) >= kernel.logLevel) this.#sink({ level, message, truncatedBytes: 0 });
  }

  #count(): void {
    const { maxLines } = this.#limits;
    this.#lines++;
    if (this.#lines <= maxLines) return;
    throw new ServerError(
      'PLUGIN_LIMIT',
      `the plugin logged more than ${maxLines} lines in one call`,
      {
        details: { limit: 'maxLogLines', maxLogLines: maxLines },
      },
    );
  }
}

export function escapeUnprintable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) =>
      SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The number a guest reads with `get_log_level`. */
export function logLevelNumber(level: GuestLogThreshold): number {
  return level === 'silent' ? SILENT : LEVELS.indexOf(level);
}

export function logLevelName(level: number): GuestLogThreshold {
  return LEVELS[level] ?? 'silent';
}
