/**
 * The open connections of one listener: how many there are, which requests each has waiting, and
 * the limit. A connection over the limit is destroyed at once; Node's own `server.maxConnections`
 * keeps a cluster's primary spinning instead.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Ticket } from '../lock/lock.ts';

export class Connections {
  readonly #waitingBySocket = new Map<Socket, Set<Ticket>>();

  constructor(server: Server, maxConnections: number) {
    server.on('connection', (socket: Socket) => {
      if (this.#waitingBySocket.size >= maxConnections) {
        socket.destroy();
        return;
      }
      const tickets = new Set<Ticket>();
      this.#waitingBySocket.set(socket, tickets);
      // 'close' of the socket, not of a reply: pipelined requests wait without a socket of their own.
      socket.once('close', () => {
        this.#waitingBySocket.delete(socket);
        for (const ticket of tickets) ticket.cancel();
      });
    });
  }

  get count(): number {
    return this.#waitingBySocket.size;
  }

  /** From here on the ticket is cancelled when its client goes away. */
  add(socket: Socket, ticket: Ticket): void {
    const tickets = this.#waitingBySocket.get(socket);
    if (tickets === undefined) ticket.cancel();
    else tickets.add(ticket);
  }

  remove(socket: Socket, ticket: Ticket): void {
    this.#waitingBySocket.get(socket)?.delete(ticket);
  }
}
