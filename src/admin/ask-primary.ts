/**
 * One question to our own primary over its unix socket, bounded in time and size. Used by the
 * cluster view and the admin routes of every worker, and by `plugind reload`. Under pm2 there is
 * no such socket.
 */
import { request } from 'node:http';
import { join } from 'node:path';
import { ServerError } from '../errors.ts';

/** Name of the primary's socket in the run directory. */
export const PRIMARY_SOCKET = 'primary.sock';

export interface PrimaryQuestion {
  readonly runDir: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** For the whole exchange. Default 2,000 ms. */
  readonly timeoutMs?: number;
}

export interface PrimaryReply {
  readonly status: number;
  readonly body: string;
}

const MAX_BYTES = 4 * 1024 * 1024;

/** @throws the system's error (`code`) when there is no connection, `ServerError` `INTERNAL` when the answer is late or too long. */
export function askPrimary(question: PrimaryQuestion): Promise<PrimaryReply> {
  const { runDir, method, path, timeoutMs = 2000 } = question;
  const socketPath = join(runDir, PRIMARY_SOCKET);
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MAX_BYTES) fail(failure(`its answer is longer than ${MAX_BYTES} bytes`));
      });
      incoming.on('error', fail);
      incoming.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        resolve({ status: incoming.statusCode ?? 0, body });
      });
    });
    const timer = setTimeout(() => fail(failure(`no answer in ${timeoutMs} ms`)), timeoutMs);
    function fail(error: Error): void {
      reject(error);
      outgoing.destroy();
    }
    outgoing.on('error', fail);
    outgoing.on('close', () => {
      clearTimeout(timer);
      reject(failure('it ended the connection'));
    });
    outgoing.end();
  });
}

/** Whether the error says that there is no primary behind the socket. */
export function isNobodyThere(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ECONNREFUSED';
}

function failure(message: string): ServerError {
  return new ServerError('INTERNAL', `the primary does not answer: ${message}`);
}
