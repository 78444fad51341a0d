/**
 * What Node's parser refuses, before there is a request (or while its body arrives): answered on
 * the bare socket as a problem document, after every reply that an earlier request is still owed,
 * and then closed.
 */
import { ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ServerError } from '../errors.ts';
import { PROBLEM_TYPE, problemBody } from './problem.ts';
import type { Traffic } from './traffic.ts';

const REASONS: Readonly<Record<number, string>> = {
  400: 'the request is not valid HTTP/1.1',
  408: 'the request did not arrive in time',
  431: 'the request head is larger than 16 KiB',
};

/** The client's half of the connection ended before its request did. */
const BROKEN_OFF = 'HPE_INVALID_EOF_STATE';

/** How long a client may keep its half of the connection open once it was answered. */
const LINGER_MS = 1000;

/** Sockets whose answer waits for the reply to an earlier request; what they send after that is nothing. */
const waiting = new WeakSet<Socket>();

/** For Fastify's `clientErrorHandler`. What is refused is counted. */
export function answerBrokenRequest(
  error: NodeJS.ErrnoException,
  socket: Socket,
  traffic: Traffic,
): void {
  const current = currentReply(socket);
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
  } else if (waiting.has(socket)) {
    return;
  } else if (current === null) {
    answer(error, socket, traffic);
  } else if (current.req.complete) {
    // A client takes replies in order: this one must not come in the place of an earlier one.
    waiting.add(socket);
    current.once('close', () => {
      waiting.delete(socket);
      answerBrokenRequest(error, socket, traffic);
    });
  } else if (current.headersSent) {
    // It is this request's own body that is broken, and a second head would corrupt its reply.
    socket.destroy();
  } else {
    answer(error, socket, traffic);
  }
}

/** The reply that the socket carries now, or will carry next. */
function currentReply(socket: Socket): ServerResponse | null {
  const message = (socket as { _httpMessage?: unknown })._httpMessage;
  return message instanceof ServerResponse ? message : null;
}

function answer(error: NodeJS.ErrnoException, socket: Socket, traffic: Traffic): void {
  const status = statusOfBroken(error.code);
  // Who ended the connection in the middle of a request was not refused: it left.
  if (error.code !== BROKEN_OFF) traffic.reject(status === 408 ? 'timeout' : 'malformed');
  const problem = new ServerError('BAD_REQUEST', REASONS[status] ?? '');
  const body = problemBody(problem, status, '');
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}

function statusOfBroken(code: string | undefined): 400 | 408 | 431 {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  return code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
}
