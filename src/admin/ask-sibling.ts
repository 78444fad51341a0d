/**
 * One question to one sibling over its unix socket, bounded in time and size.
 * Used by siblings.ts, which decides what a failure means.
 */
import { type IncomingMessage, request } from 'node:http';
import { ServerError } from '../errors.ts';
import type { LifecycleState } from '../lifecycle/state.ts';
import { parseState } from './own-process.ts';
import { STATE_HEADER, UPTIME_HEADER } from './sibling-server.ts';

/** What a sibling answers to. `since`: the number of the last row of its history that is known. */
export type SiblingPath = '/metrics' | '/status' | `/live?since=${number}`;

export interface Question {
  readonly socket: string;
  readonly path: SiblingPath;
  /** For the whole exchange, not for each step of it. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

export interface Reply {
  readonly state: LifecycleState;
  readonly uptimeSeconds: number;
  readonly body: string;
}

/**
 * @throws the system's error (`code`) when there is no connection, `ServerError` `INTERNAL` when
 * the answer is late, too long or not one of ours.
 */
export function askSibling(question: Question): Promise<Reply> {
  const { socket, path, timeoutMs, maxBytes } = question;
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: socket, path, agent: false }, (incoming) => {
      readReply(incoming, maxBytes).then(resolve, fail);
    });
    const timer = setTimeout(() => fail(failure(`no answer in ${timeoutMs} ms`)), timeoutMs);
    function fail(error: Error): void {
      reject(error);
      outgoing.destroy();
    }
    outgoing.on('error', fail);
    outgoing.on('close', () => clearTimeout(timer));
    outgoing.end();
  });
}

async function readReply(incoming: IncomingMessage, maxBytes: number): Promise<Reply> {
  const state = parseState(incoming.headers[STATE_HEADER]);
  const uptimeSeconds = Number(incoming.headers[UPTIME_HEADER]);
  if (incoming.statusCode !== 200 || state === undefined || !Number.isFinite(uptimeSeconds)) {
    throw failure('the answer is not that of a worker');
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw failure(`the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return { state, uptimeSeconds, body: Buffer.concat(chunks).toString('utf8') };
}

function failure(message: string): ServerError {
  return new ServerError('INTERNAL', message);
}
