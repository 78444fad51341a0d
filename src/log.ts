/**
 * The log: JSON lines on standard output, one for each life-cycle event. Written through
 * `process.stdout`, not a file descriptor: under pm2 only that reaches the app's own log files.
 */
import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** `fields` stand in every line: which process, which slot. */
export function createLogger(level: LogLevel, fields: Readonly<Record<string, unknown>>): Logger {
  return pino(
    { level, base: { ...fields }, timestamp: pino.stdTimeFunctions.isoTime },
    { write: (line: string) => process.stdout.write(line) },
  );
}
