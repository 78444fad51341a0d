/**
 * The primary's own unix socket: its status, its metrics, and the request for a roll. The run
 * directory is this user's alone, so whoever can connect may ask.
 */
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { askPrimary, isNobodyThere, PRIMARY_SOCKET } from '../admin/ask-primary.ts';
import type { PrimaryStatus, RollStatus } from '../admin/primary-status.ts';
import { assertSocketPath } from '../admin/sibling-socket.ts';
import { ServerError } from '../errors.ts';

export interface PrimaryServerOptions {
  readonly runDir: string;
  readonly status: () => PrimaryStatus;
  readonly metrics: () => Promise<string>;
  readonly requestRoll: () => RollStatus;
  readonly findRoll: (id: string) => RollStatus | undefined;
}

export interface PrimaryServer {
  /** Idempotent. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

const TIMEOUT_MS = 5000;

/** @throws ServerError `CONFIG_INVALID` when it cannot be bound, or another primary came first. */
export async function createPrimaryServer(options: PrimaryServerOptions): Promise<PrimaryServer> {
  const { runDir } = options;
  const path = join(runDir, PRIMARY_SOCKET);
  const limits = { requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS, keepAliveTimeout: 1 };
  const server = createServer(limits, (request, response) => {
    void answer(options, request).then((reply) => send(response, reply));
  });
  // Another server may have come while this one checked its plugins. Its socket is not to be taken.
  await assertFreeRunDir(runDir);
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const message = `socket ${path} cannot be bound: ${error.message}`;
      reject(new ServerError('CONFIG_INVALID', message, { cause: error }));
    });
    server.listen(path, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * Before anything is written there.
 * @throws ServerError `CONFIG_INVALID` when another primary lives in this run directory, or its
 * path is too long for a socket.
 */
export async function assertFreeRunDir(runDir: string): Promise<void> {
  assertSocketPath(join(runDir, PRIMARY_SOCKET));
  try {
    await askPrimary({ runDir, method: 'GET', path: '/status' });
  } catch (error) {
    if (isNobodyThere(error)) return;
  }
  const message = `run directory ${runDir} is used by another running server: give each its own`;
  throw new ServerError('CONFIG_INVALID', message);
}

async function answer(options: PrimaryServerOptions, request: IncomingMessage): Promise<Answer> {
  try {
    return await route(options, `${request.method} ${request.url}`);
  } catch (error) {
    return { status: 500, body: ServerError.from(error).message };
  }
}

async function route(options: PrimaryServerOptions, asked: string): Promise<Answer> {
  if (asked === 'GET /status') return json(200, options.status());
  if (asked === 'GET /metrics') return { status: 200, body: await options.metrics() };
  if (asked === 'POST /reload') return json(202, options.requestRoll());
  const [, id] = /^GET \/rolls\/(\d+)$/.exec(asked) ?? [];
  const roll = id === undefined ? undefined : options.findRoll(id);
  return roll === undefined ? { status: 404, body: '' } : json(200, roll);
}

function json(status: number, value: unknown): Answer {
  return { status, body: JSON.stringify(value) };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { connection: 'close' }).end(body);
}
