/**
 * This process's own unix socket, on which its siblings read its metrics and status. It serves
 * those of this process only; siblings.ts asks, cluster-view.ts joins the answers.
 */
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ServerError } from '../errors.ts';
import type { OwnProcess } from './own-process.ts';
import { socketPath } from './sibling-socket.ts';

/** Headers that say which of two processes in one slot to believe. */
export const STATE_HEADER = 'x-plugind-state';
export const UPTIME_HEADER = 'x-plugind-uptime';

export interface SiblingServerOptions {
  /** As `prepareRunDir` returned it. */
  readonly runDir: string;
  readonly own: OwnProcess;
}

export interface SiblingServer {
  readonly path: string;
  /** Ends what is being answered and removes the socket. Idempotent. */
  close(): Promise<void>;
}

const TIMEOUT_MS = 5000;

/**
 * Listens.
 * @throws ServerError `CONFIG_INVALID` when the path is too long or cannot be bound.
 */
export async function createSiblingServer(options: SiblingServerOptions): Promise<SiblingServer> {
  const { own, runDir } = options;
  const path = socketPath(runDir, own.status());
  const limits = { requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS, keepAliveTimeout: 1 };
  const server = createServer(limits, (request, response) => {
    void answer(own, request, response);
  });
  // A crashed process of the same pid may have left it.
  await rm(path, { force: true });
  await listen(server, path);
  let closed: Promise<void> | null = null;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    path,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const message = `socket ${path} cannot be bound: ${error.message}`;
      reject(new ServerError('CONFIG_INVALID', message, { cause: error, details: { path } }));
    });
    // Not exclusive, a cluster's primary would bind it in this worker's place.
    server.listen({ path, exclusive: true }, resolve);
  });
}

async function answer(
  own: OwnProcess,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await read(own, request).catch(() => null);
  if (body === undefined || body === null) {
    response.writeHead(body === null ? 500 : 404, { connection: 'close' }).end();
    return;
  }
  const { state, uptimeSeconds } = own.status();
  const headers = { [STATE_HEADER]: state, [UPTIME_HEADER]: uptimeSeconds, connection: 'close' };
  response.writeHead(200, headers).end(body);
}

async function read(own: OwnProcess, request: IncomingMessage): Promise<string | undefined> {
  if (request.method !== 'GET') return undefined;
  if (request.url === '/metrics') return await own.metrics();
  if (request.url === '/status') return JSON.stringify(own.status());
  const [, since] = /^\/live\?since=(\d{1,15})$/.exec(request.url ?? '') ?? [];
  if (since !== undefined) return own.live(Number(since));
  return undefined;
}
