/**
 * The log: JSON lines on standard output, one for each life-cycle event. Writing never waits: a
 * full disk, a closed pipe or a reader that stands still costs lines, which are counted, and never
 * the process. Where the lines go is log/open-log-writer.ts.
 */
import { type Logger, pino } from 'pino';
import { openLogWriter } from './log/open-log-writer.ts';

export type { Logger } from 'pino';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** A logger and what became of its lines. */
export interface Log {
  readonly logger: Logger;
  /** Lines that could not be written since the start. */
  droppedLines(): number;
  /** Resolves when every line is written, at the latest after `deadlineMs`. For the process's end. */
  flush(deadlineMs: number): Promise<void>;
}

/** `fields` stand in every line: which process, which slot. */
export function createLog(level: LogLevel, fields: Readonly<Record<string, unknown>>): Log {
  const writer = openLogWriter();
  return {
    logger: pino(
      { level, base: { ...fields }, timestamp: pino.stdTimeFunctions.isoTime },
      { write: (line: string) => writer.write(line) },
    ),
    droppedLines: () => writer.droppedLines,
    flush: (deadlineMs) => writer.flush(deadlineMs),
  };
}

/** The logger alone, where nobody asks what became of its lines. */
export function createLogger(level: LogLevel, fields: Readonly<Record<string, unknown>>): Logger {
  return createLog(level, fields).logger;
}
