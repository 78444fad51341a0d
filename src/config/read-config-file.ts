/**
 * Reads a configuration file from disk and parses it. What it says is checked elsewhere.
 * Used by load-config.ts.
 */
import { readFileSync, statSync } from 'node:fs';
import { ServerError } from '../errors.ts';
import { parseJson } from './parse-json.ts';
import { formatPath, problemsError } from './problem.ts';

/** A file this long is not a configuration. */
const MAX_BYTES = 1_048_576;

/**
 * The parsed content of `path`; `shownAs` names it in messages.
 * @throws ServerError `CONFIG_NOT_FOUND`, or `CONFIG_INVALID` with line and column.
 */
export function readConfigFile(path: string, shownAs: string): unknown {
  const parsed = parseJson(decode(readBytes(path, shownAs), shownAs));
  if (parsed.ok) return parsed.value;
  throw problemsError(
    parsed.mistakes.map(({ line, column, path: at, text }) => {
      const subject = at.length === 0 ? '' : `${formatPath(at)} `;
      return `${shownAs}: line ${line}, column ${column}: ${subject}${text}`;
    }),
  );
}

function readBytes(path: string, shownAs: string): Buffer {
  try {
    const stats = statSync(path);
    // Every worker reads the file again, which a pipe would not survive.
    if (!stats.isFile())
      throw invalid(shownAs, stats.isDirectory() ? 'is a directory' : 'is not a regular file');
    if (stats.size > MAX_BYTES)
      throw invalid(shownAs, `is larger than ${MAX_BYTES} bytes (${stats.size})`);
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof ServerError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new ServerError('CONFIG_NOT_FOUND', `${shownAs}: no such file`, { cause });
    }
    throw invalid(shownAs, `cannot be read (${code})`, cause);
  }
}

function decode(bytes: Buffer, shownAs: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw invalid(shownAs, 'is not UTF-8 text', cause);
  }
}

function invalid(shownAs: string, text: string, cause?: unknown): ServerError {
  return new ServerError('CONFIG_INVALID', `${shownAs}: ${text}`, { cause });
}
