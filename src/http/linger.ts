/**
 * nginx's lingering close: a client that is refused while it still sends its body is read from for a
 * while. Otherwise the system ends the connection with a reset, on which many clients lose the reply
 * that says why (Python's, from 8 MiB on).
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Without a byte of the body. */
const IDLE_MS = 1000;
const LONGEST_MS = 10_000;

/** Connections that end when the body of their request has come. */
const lingering = new WeakSet<Socket>();

/** Calls `end` when the body has come, or the client was given time enough. */
export function linger(request: IncomingMessage, end: () => void): void {
  const { socket } = request;
  lingering.add(socket);
  const stop = (): void => {
    clearTimeout(idle);
    clearTimeout(longest);
    request.off('data', more).off('end', stop).off('close', stop);
    end();
  };
  const idle = setTimeout(stop, IDLE_MS);
  const longest = setTimeout(stop, LONGEST_MS);
  const more = (): void => void idle.refresh();
  request.on('data', more).on('end', stop).on('close', stop).resume();
}

/** Whether this request came behind one that was the last to be answered. */
export function isTooLate({ socket }: IncomingMessage): boolean {
  return lingering.has(socket);
}
