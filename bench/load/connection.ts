/**
 * One connection of the client, made anew whenever it is needed and not there: writes requests, matches every
 * response to the oldest request in flight, and says how each one ended. When it breaks, each request in
 * flight has failed. Bare sockets, since the client shares its CPUs with the server it measures.
 */
import { connect, type Socket } from 'node:net';
import { BodyCheck, numberText } from './body-check.ts';
import type { RequestShape, RequestSource } from './request-source.ts';
import { BadResponse, ResponseParser, type ResponseSink } from './response-parser.ts';

/** A request whose answer is due. */
export interface Flight {
  readonly number: number;
  /** Milliseconds of performance.now(). */
  readonly dueAt: number;
  readonly shape: RequestShape;
}

export interface ConnectionOwner {
  onAnswer(flight: Flight, status: number, isRight: boolean): void;
  onFailure(flight: Flight, reason: string): void;
  /** An answer that no request is left for. */
  onUnasked(): void;
  /** There may be room again; called once for all responses of one read. */
  onRoom(connection: Connection): void;
  onConnected(change: 1 | -1): void;
}

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly keepAlive: boolean;
  /** Requests in flight at most. */
  readonly depth: number;
  readonly source: RequestSource;
  readonly owner: ConnectionOwner;
  /** One for all connections of a thread: what is read is used up before anything else is read. */
  readonly readBuffer: Uint8Array;
}

/** After a connection broke without one answer, so that a dead server is not asked without a pause. */
const BACK_OFF_MS = 50;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #flights: Flight[] = [];
  readonly #check = new BodyCheck();
  #socket: Socket | null = null;
  #isConnected = false;
  #backOff: NodeJS.Timeout | null = null;
  /** Requests not yet written, one byte a character. */
  #out = '';
  #answers = 0;
  #status = 0;
  #isOver = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** How many requests may be sent now. */
  get room(): number {
    return this.#backOff === null && !this.#isOver ? this.#options.depth - this.#flights.length : 0;
  }

  get oldest(): Flight | undefined {
    return this.#flights[0];
  }

  /** Goes out with the next flush. */
  send(number: number, dueAt: number): void {
    const shape = this.#options.source(number);
    this.#flights.push({ number, dueAt, shape });
    this.#out += shape.hasNumber ? shape.before + numberText(number) + shape.after : shape.before;
    if (shape.bulk === null) return;
    const socket = this.#open();
    socket.cork();
    this.#write(socket);
    socket.write(shape.bulk);
    socket.uncork();
  }

  flush(): void {
    if (this.#out !== '') this.#write(this.#open());
  }

  /** Every request in flight has failed. */
  fail(reason: string): void {
    const broken = this.#flights.splice(0);
    this.#drop();
    for (const flight of broken) this.#options.owner.onFailure(flight, reason);
    if (this.#isOver) return;
    if (this.#answers > 0) {
      this.#answers = 0;
      this.#options.owner.onRoom(this);
      return;
    }
    this.#backOff ??= setTimeout(() => {
      this.#backOff = null;
      this.#options.owner.onRoom(this);
    }, BACK_OFF_MS);
  }

  /** Without a word about the requests in flight. */
  close(): void {
    this.#isOver = true;
    this.#flights.length = 0;
    if (this.#backOff !== null) clearTimeout(this.#backOff);
    this.#drop();
  }

  #write(socket: Socket): void {
    socket.write(this.#out, 'latin1');
    this.#out = '';
  }

  #open(): Socket {
    if (this.#socket !== null) return this.#socket;
    const { host, port, readBuffer, owner } = this.#options;
    const parser = new ResponseParser(this.#sink);
    const socket: Socket = connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length, bytes) => {
          if (socket === this.#socket) this.#read(parser, bytes as Buffer, length);
          return true;
        },
      },
    });
    let reason = 'CUT';
    socket.once('connect', () => {
      if (socket !== this.#socket) return;
      this.#isConnected = true;
      owner.onConnected(1);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = error.code ?? 'ERROR';
    });
    socket.once('close', () => {
      if (socket !== this.#socket) return;
      // A body without a length ends here.
      if (reason === 'CUT') parser.finish();
      this.#ended(reason);
    });
    this.#socket = socket;
    return socket;
  }

  #read(parser: ResponseParser, bytes: Buffer, length: number): void {
    const before = this.#answers;
    try {
      parser.read(bytes, 0, length);
    } catch (error) {
      if (!(error instanceof BadResponse)) throw error;
      this.fail('BAD_RESPONSE');
      return;
    }
    if (this.#answers !== before) this.#options.owner.onRoom(this);
  }

  readonly #sink: ResponseSink = {
    onHead: (status) => {
      const flight = this.#flights[0];
      if (flight === undefined) {
        this.#options.owner.onUnasked();
        throw new BadResponse('unasked');
      }
      this.#status = status;
      this.#check.begin(flight.shape.answer, flight.number);
    },
    onBody: (bytes, start, end) => this.#check.take(bytes, start, end),
    onEnd: (isLast) => {
      const flight = this.#flights.shift() as Flight;
      this.#answers++;
      this.#options.owner.onAnswer(flight, this.#status, this.#check.isRight);
      if (isLast || !this.#options.keepAlive) this.#ended('CUT');
    },
  };

  /** The connection is over; that is a failure only for those whose answer is missing. */
  #ended(reason: string): void {
    if (this.#flights.length > 0) this.fail(reason);
    else this.#drop();
  }

  #drop(): void {
    this.#out = '';
    const socket = this.#socket;
    this.#socket = null;
    if (this.#isConnected) this.#options.owner.onConnected(-1);
    this.#isConnected = false;
    socket?.destroy();
  }
}
