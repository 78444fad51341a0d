/**
 * One open stream. What it is behind waits in the workers' histories, not here: while its reader is
 * slow nothing is written, so that at most one event is buffered, and then it goes on where it was.
 */
import type { ServerResponse } from 'node:http';
import type { Cursors } from './cursors.ts';
import type { LiveEvent } from './live-event.ts';

export interface LiveViewerOptions {
  /** Its head is written. */
  readonly response: ServerResponse;
  readonly cursors: Cursors;
  /** It can be written to again. */
  readonly onWritable: () => void;
  readonly onClosed: () => void;
  /** Monotonic, in ms. */
  readonly clock: () => number;
}

export class LiveViewer {
  readonly #response: ServerResponse;
  readonly #clock: () => number;
  #cursors: Cursors;
  #blockedAt: number | null = null;

  constructor({ response, cursors, onWritable, onClosed, clock }: LiveViewerOptions) {
    this.#response = response;
    this.#cursors = cursors;
    this.#clock = clock;
    response.on('drain', () => {
      this.#blockedAt = null;
      onWritable();
    });
    response.on('error', () => {});
    // Of the socket, not of the reply: one that waits behind another's is not told.
    response.req.socket.once('close', onClosed);
  }

  get cursors(): Cursors {
    return this.#cursors;
  }

  get isWritable(): boolean {
    return this.#blockedAt === null && this.#response.writable;
  }

  /** How long its reader has taken nothing. */
  get blockedMs(): number {
    return this.#blockedAt === null ? 0 : this.#clock() - this.#blockedAt;
  }

  /** Only while it is writable. */
  send({ text, cursors }: LiveEvent): void {
    this.#cursors = cursors;
    if (!this.#response.write(text)) this.#blockedAt = this.#clock();
  }

  /** Ends the stream; its page comes back to another worker. */
  end(): void {
    this.#response.end();
  }

  /** Cuts the connection. */
  drop(): void {
    this.#response.destroy();
  }
}
