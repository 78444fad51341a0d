/** A connection that sends a batch of requests in one write and hands back every reply, in order. Opened when needed. */
import { connect, type Socket } from 'node:net';
import { type Reply, ReplyReader } from './reply-reader.ts';

export interface Batch {
  /** In the order of the requests; null for one that was not answered. */
  readonly replies: readonly (Reply | null)[];
  /** Why requests were not answered: a system error's code, `TIMEOUT`, `CUT` or `BAD_REPLY`. */
  readonly failure: string | null;
}

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  /** For a whole batch. */
  readonly timeoutMs: number;
}

interface Running {
  readonly count: number;
  readonly replies: Reply[];
  readonly timer: NodeJS.Timeout;
  readonly resolve: (batch: Batch) => void;
}

export class ProbeConnection {
  readonly #target: ProbeTarget;
  #socket: Socket | null = null;
  #running: Running | null = null;

  constructor(target: ProbeTarget) {
    this.#target = target;
  }

  /** One batch at a time. Never rejects. */
  exchange(requests: readonly string[]): Promise<Batch> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#end('TIMEOUT'), this.#target.timeoutMs);
      this.#running = { count: requests.length, replies: [], timer, resolve };
      this.#socket ??= this.#open();
      this.#socket.write(requests.join(''));
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  #open(): Socket {
    const reader = new ReplyReader();
    const socket = connect({ host: this.#target.host, port: this.#target.port, noDelay: true });
    let failure = 'CUT';
    const ifCurrent = (act: () => void): void => {
      if (socket === this.#socket) act();
    };
    socket.on('data', (bytes) => ifCurrent(() => this.#read(() => reader.take(bytes))));
    socket.once('end', () =>
      ifCurrent(() =>
        this.#read(() => {
          const last = reader.finish();
          return last === null ? [] : [last];
        }),
      ),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = error.code ?? 'ERROR';
    });
    socket.once('close', () => ifCurrent(() => this.#end(failure)));
    return socket;
  }

  #read(take: () => Reply[]): void {
    let replies: Reply[];
    try {
      replies = take();
    } catch {
      this.#end('BAD_REPLY');
      return;
    }
    const running = this.#running;
    // More replies than requests: whose they are cannot be said.
    if (replies.length > (running === null ? 0 : running.count - running.replies.length)) {
      this.#end('BAD_REPLY');
      return;
    }
    running?.replies.push(...replies);
    if (replies.some(({ isLast }) => isLast)) this.#end('CUT');
    else if (running?.replies.length === running?.count) this.#settle(null);
  }

  /** The connection is of no more use; those without a reply get none. */
  #end(failure: string): void {
    this.close();
    this.#settle(failure);
  }

  #settle(failure: string | null): void {
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    clearTimeout(running.timer);
    const { count, replies, resolve } = running;
    const all = Array.from({ length: count }, (_, index) => replies[index] ?? null);
    resolve({ replies: all, failure: all.includes(null) ? failure : null });
  }
}
