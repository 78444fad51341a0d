/**
 * Reads one file up to a limit. Regular files only: every worker reads a plugin again, which a pipe
 * would not survive, and a device may have no end.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { ServerError } from '../../errors.ts';

/**
 * @param subject begins every message: which plugin, which item, which file.
 * @param overLimit says what a file of that size is refused with.
 * @throws ServerError `PLUGIN_NOT_FOUND`, or what `overLimit` made.
 */
export async function readFile(
  subject: string,
  path: string,
  maxBytes: number,
  overLimit: (bytes: number) => ServerError,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    // Opening a pipe without that flag would wait for its writer.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      return await readOpened(file, subject, maxBytes, overLimit);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof ServerError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    throw notFound(subject, isMissing ? 'no such file' : `cannot be read (${code})`, cause);
  }
}

async function readOpened(
  file: FileHandle,
  subject: string,
  maxBytes: number,
  overLimit: (bytes: number) => ServerError,
): Promise<Uint8Array<ArrayBuffer>> {
  const stats = await file.stat();
  if (!stats.isFile()) {
    throw notFound(subject, stats.isDirectory() ? 'is a directory' : 'is not a regular file');
  }
  if (stats.size > maxBytes) throw overLimit(stats.size);
  const bytes = new Uint8Array(stats.size);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length === bytes.length ? bytes : bytes.slice(0, length);
}

function notFound(subject: string, problem: string, cause?: unknown): ServerError {
  return new ServerError('PLUGIN_NOT_FOUND', `${subject}: ${problem}`, { cause });
}
