/**
 * The caller's end of a plugin's thread: asks, and gets what is answered. A short call of a thread
 * that is awake is waited for in place, which costs less than two wake-ups; for every other the
 * caller gets a promise and its event loop turns.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { ServerError } from '../../errors.ts';
import type { GuestLine } from '../engine-environment.ts';
import {
  type CallMemory,
  IN_MESSAGE,
  openCallMemory,
  RING_BYTES,
  takeSleep,
  WORD,
} from './call-memory.ts';
import { type CalleeMessage, type CallerMessage, WAKE, type Wake } from './messages.ts';
import { Spin } from './spin.ts';

export interface Request {
  /** Number of a function, or one of `OPERATION`. */
  readonly operation: number;
  readonly input: Uint8Array;
  /** Given to host functions; `undefined` is not sent. */
  readonly hostContext: unknown;
  /** The state after initialisation is restored before the reply. */
  readonly restores: boolean;
}

interface Waiting {
  resolve(output: Uint8Array): void;
  reject(error: ServerError): void;
}

/** Longest wait in place, and the longest last call after which one is tried: about one wake-up. */
const SPIN_MS = 0.02;

export class CallerSide {
  readonly #memory: CallMemory;
  readonly #port: MessagePort;
  readonly #onLine: (line: GuestLine) => void;
  readonly #spin: Spin;
  #asked = 0;
  #taken = 0;
  #bytes: Uint8Array | null = null;
  #error: ServerError | null = null;
  #waiting: Waiting | null = null;

  constructor(buffer: SharedArrayBuffer, port: MessagePort, onLine: (line: GuestLine) => void) {
    this.#memory = openCallMemory(buffer);
    this.#port = port;
    this.#onLine = onLine;
    const isMine = (answered: number): boolean => answered === this.#asked;
    this.#spin = new Spin(this.#memory.words, WORD.answered, isMine, SPIN_MS);
    port.on('message', (message: CalleeMessage | Wake) => {
      this.#receive(message);
      this.#settle();
    });
    port.unref();
  }

  /** A number that the thread reported with its last reply. */
  report(word: keyof typeof WORD): number {
    return this.#memory.words[WORD[word]] as number;
  }

  get isWaiting(): boolean {
    return this.#waiting !== null;
  }

  /** One request at a time. @throws ServerError as the thread says, at once or later. */
  ask(request: Request): Uint8Array | Promise<Uint8Array> {
    const { words } = this.#memory;
    this.#send(request);
    const isShort = (words[WORD.tookUs] as number) < SPIN_MS * 1000;
    this.#asked = (this.#asked + 1) | 0;
    Atomics.store(words, WORD.asked, this.#asked);
    if (takeSleep(words, WORD.calleeSleeps)) this.#port.postMessage(WAKE);
    else if (isShort && this.#spin.wait()) return this.#take();
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#settle();
    });
  }

  /** Takes a reply that is there and was not told yet. */
  poll(): void {
    this.#settle();
  }

  /** Ends the request that is waited for, if there is one. */
  fail(error: ServerError): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(error);
  }

  #send({ operation, input, hostContext, restores }: Request): void {
    const { words, input: shared } = this.#memory;
    if (hostContext !== undefined) this.#post({ kind: 'hostContext', value: hostContext }, []);
    const fits = input.length <= RING_BYTES;
    words[WORD.operation] = operation;
    words[WORD.restores] = restores ? 1 : 0;
    words[WORD.inputLength] = fits ? input.length : IN_MESSAGE;
    if (fits) {
      shared.set(input);
      return;
    }
    // A copy of its own: the buffer it lies in may be others' too.
    const bytes = new Uint8Array(input);
    this.#post({ kind: 'input', bytes }, [bytes.buffer]);
  }

  #post(message: CallerMessage, transfer: readonly ArrayBuffer[]): void {
    try {
      this.#port.postMessage(message, transfer);
    } catch (cause) {
      const reason = 'a host context for a plugin in a thread must be data that can be cloned';
      throw new ServerError('BAD_REQUEST', reason, { cause });
    }
    Atomics.add(this.#memory.words, WORD.callerPosted, 1);
  }

  /**
   * Also says anew that this side sleeps: the wake-up that was sent for it may have been meant for
   * the request before, which was answered while its flag was looked at.
   */
  #settle(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    const { words } = this.#memory;
    if (Atomics.load(words, WORD.answered) !== this.#asked) {
      Atomics.store(words, WORD.callerSleeps, 1);
      if (Atomics.load(words, WORD.answered) !== this.#asked) return;
    }
    this.#waiting = null;
    Atomics.store(words, WORD.callerSleeps, 0);
    try {
      waiting.resolve(this.#take());
    } catch (thrown) {
      waiting.reject(ServerError.from(thrown));
    }
  }

  #take(): Uint8Array {
    const { words, output } = this.#memory;
    while (((Atomics.load(words, WORD.calleePosted) - this.#taken) | 0) > 0) {
      const received = receiveMessageOnPort(this.#port) as { message: CalleeMessage | Wake };
      this.#receive(received.message);
    }
    const error = this.#error;
    const bytes = this.#bytes;
    this.#error = null;
    this.#bytes = null;
    if (words[WORD.hasFailed] === 1) throw error as ServerError;
    const length = words[WORD.outputLength] as number;
    return length === IN_MESSAGE ? (bytes as Uint8Array) : output.slice(0, length);
  }

  #receive(message: CalleeMessage | Wake): void {
    if (message === WAKE) return;
    this.#taken = (this.#taken + 1) | 0;
    if (message.kind === 'line') this.#onLine(message.line);
    else if (message.kind === 'output') this.#bytes = message.bytes;
    else this.#error = new ServerError(message.code, message.message, { details: message.details });
  }
}
