/**
 * The open connections of one listener: how many there are, which requests each has waiting, whether
 * its client takes its reply, and the limit. A connection over the limit is destroyed at once; Node's
 * own `server.maxConnections` keeps a cluster's primary spinning instead.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Ticket } from '../lock/lock.ts';

interface Connection {
  /** Of its requests that wait for a plugin. */
  readonly tickets: Set<Ticket>;
  /** Its last request so far: clients may send several before the first is answered. */
  latest: IncomingMessage | null;
}

export class Connections {
  readonly #bySocket = new Map<Socket, Connection>();

  /** `onRefused` is told of each connection over the limit. */
  constructor(server: Server, maxConnections: number, onRefused: () => void = () => {}) {
    server.on('connection', (socket: Socket) => {
      if (this.#bySocket.size >= maxConnections) {
        socket.destroy();
        onRefused();
        return;
      }
      const tickets = new Set<Ticket>();
      this.#bySocket.set(socket, { tickets, latest: null });
      // 'close' of the socket, not of a reply: pipelined requests wait without a socket of their own.
      socket.once('close', () => {
        this.#bySocket.delete(socket);
        for (const ticket of tickets) ticket.cancel();
      });
    });
  }

  get count(): number {
    return this.#bySocket.size;
  }

  /** The head of a request was read. */
  arrived(request: IncomingMessage): void {
    const connection = this.#bySocket.get(request.socket);
    if (connection !== undefined) connection.latest = request;
  }

  /** Whether some client has not taken all of its reply yet. */
  get isSending(): boolean {
    return [...this.#bySocket.keys()].some((socket) => socket.writableLength > 0);
  }

  /**
   * A reply was written whole. Where its client takes nothing of it for `timeoutMs` its connection
   * ends, since what is not taken stays in memory.
   */
  sending(reply: ServerResponse, timeoutMs: number): void {
    if (reply.writableLength === 0) return;
    // Behind the reply to an earlier request it waits for that one, which may still be with a plugin.
    if (reply.socket === null)
      reply.once('socket', (socket) => limitPause(reply, socket, timeoutMs));
    else limitPause(reply, reply.socket, timeoutMs);
  }

  /** Whether the connection may end with the reply to this request: no other came behind it. */
  isLatest(request: IncomingMessage): boolean {
    return this.#bySocket.get(request.socket)?.latest === request;
  }

  /** From here on the ticket is cancelled when its client goes away. */
  add(socket: Socket, ticket: Ticket): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) ticket.cancel();
    else connection.tickets.add(ticket);
  }

  remove(socket: Socket, ticket: Ticket): void {
    this.#bySocket.get(socket)?.tickets.delete(ticket);
  }
}

/** Node's timer of a socket begins anew whenever the client took something, and ends the connection. */
function limitPause(reply: ServerResponse, socket: Socket, timeoutMs: number): void {
  socket.setTimeout(timeoutMs);
  // Before Node's own listener, which sets the same timer for keep-alive.
  reply.prependOnceListener('finish', () => socket.setTimeout(0));
}
