/**
 * The plugin's end of its thread: serves one request after another, and sleeps in the event loop when
 * there is none, so that what host functions left running (timers, connections) goes on.
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

/** What runs a request, and how the instance stands after it. */
export interface RequestHandler {
  /** @param input good until this returns or, if it returns a promise, until that settles. */
  handle(
    operation: number,
    input: Uint8Array,
    hostContext: unknown,
  ): Uint8Array | Promise<Uint8Array>;
  /** Before the reply of a request that asked for it. */
  restore(): boolean | Promise<boolean>;
  readonly isPoisoned: boolean;
  readonly guestPages: number;
  readonly memoryBytes: number;
}

const PAGE_BYTES = 65_536;
/** How long the next request is waited for awake, after one that came at once: two wake-ups. */
const SPIN_MS = 0.04;
/** A request that came this soon after the last reply came at once, its wake-ups counted. */
const SOON_MS = 0.1;
const EMPTY = new Uint8Array(0);

export class CalleeSide {
  readonly #memory: CallMemory;
  readonly #port: MessagePort;
  readonly #handler: RequestHandler;
  readonly #spin: Spin;
  #seen = 0;
  #taken = 0;
  #bytes: Uint8Array = EMPTY;
  #hostContext: unknown;
  #isBusy = false;
  #beganAt = 0;
  #answeredAt = 0;
  #comesSoon = false;

  constructor(buffer: SharedArrayBuffer, port: MessagePort, handler: RequestHandler) {
    this.#memory = openCallMemory(buffer);
    this.#port = port;
    this.#handler = handler;
    this.#spin = new Spin(this.#memory.words, WORD.asked, this.#isNew, SPIN_MS);
  }

  /** Serves until the port is closed or the thread ends. */
  start(): void {
    this.#port.on('message', (message: CallerMessage | Wake) => {
      this.#receive(message);
      this.#turn();
    });
    this.#turn();
  }

  /** A line that the guest wrote; goes before the reply of the running request. */
  postLine(line: GuestLine): void {
    this.#post({ kind: 'line', line }, []);
  }

  readonly #isNew = (asked: number): boolean => asked !== this.#seen;

  /** Serves what is there; returns when the thread may sleep, or while a request waits on a promise. */
  #turn(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const { words } = this.#memory;
    for (;;) {
      const isThere = this.#isNew(Atomics.load(words, WORD.asked));
      if (!isThere && !(this.#comesSoon && this.#spin.wait())) {
        Atomics.store(words, WORD.calleeSleeps, 1);
        if (!this.#isNew(Atomics.load(words, WORD.asked))) break;
        Atomics.store(words, WORD.calleeSleeps, 0);
      }
      const pending = this.#serve();
      if (pending === undefined) continue;
      void pending.then(() => {
        this.#isBusy = false;
        this.#turn();
      });
      return;
    }
    this.#isBusy = false;
  }

  #serve(): undefined | Promise<void> {
    const { words, input } = this.#memory;
    this.#seen = Atomics.load(words, WORD.asked);
    this.#beganAt = performance.now();
    this.#comesSoon = this.#beganAt - this.#answeredAt < SOON_MS;
    this.#takeMessages();
    const length = words[WORD.inputLength] as number;
    const bytes = length === IN_MESSAGE ? this.#bytes : input.subarray(0, length);
    const hostContext = this.#hostContext;
    this.#bytes = EMPTY;
    this.#hostContext = undefined;
    try {
      const output = this.#handler.handle(words[WORD.operation] as number, bytes, hostContext);
      if (output instanceof Promise) return this.#finishLater(output);
      return this.#finish(output);
    } catch (thrown) {
      return this.#finish(ServerError.from(thrown));
    }
  }

  async #finishLater(pending: Promise<Uint8Array>): Promise<void> {
    await this.#finish(await pending.catch((thrown: unknown) => ServerError.from(thrown)));
  }

  #finish(result: Uint8Array | ServerError): undefined | Promise<void> {
    const { words } = this.#memory;
    if (words[WORD.restores] === 0) return this.#answer(result, false);
    const restored = this.#handler.restore();
    if (!(restored instanceof Promise)) return this.#answer(result, restored);
    return restored.then((isRestored) => this.#answer(result, isRestored));
  }

  #answer(result: Uint8Array | ServerError, isRestored: boolean): undefined {
    const { words, output } = this.#memory;
    words[WORD.hasFailed] = result instanceof ServerError ? 1 : 0;
    if (result instanceof ServerError) this.#postError(result);
    else if (result.length > RING_BYTES) {
      words[WORD.outputLength] = IN_MESSAGE;
      // The kernel's copy, in a buffer of exactly its size.
      this.#post({ kind: 'output', bytes: result }, [result.buffer as ArrayBuffer]);
    } else {
      words[WORD.outputLength] = result.length;
      output.set(result);
    }
    words[WORD.isRestored] = isRestored ? 1 : 0;
    words[WORD.isPoisoned] = this.#handler.isPoisoned ? 1 : 0;
    words[WORD.guestPages] = this.#handler.guestPages;
    words[WORD.memoryPages] = this.#handler.memoryBytes / PAGE_BYTES;
    this.#answeredAt = performance.now();
    words[WORD.tookUs] = Math.min((this.#answeredAt - this.#beganAt) * 1000, 0x7fff_ffff);
    Atomics.store(words, WORD.answered, this.#seen);
    if (takeSleep(words, WORD.callerSleeps)) this.#port.postMessage(WAKE);
    return undefined;
  }

  #postError({ code, message, details }: ServerError): void {
    try {
      this.#post({ kind: 'error', code, message, details }, []);
    } catch {
      // Facts of a host function's own error that are no data.
      this.#post({ kind: 'error', code, message, details: {} }, []);
    }
  }

  #post(message: CalleeMessage, transfer: readonly ArrayBuffer[]): void {
    this.#port.postMessage(message, transfer);
    Atomics.add(this.#memory.words, WORD.calleePosted, 1);
  }

  #takeMessages(): void {
    while (((Atomics.load(this.#memory.words, WORD.callerPosted) - this.#taken) | 0) > 0) {
      const received = receiveMessageOnPort(this.#port) as { message: CallerMessage | Wake };
      this.#receive(received.message);
    }
  }

  #receive(message: CallerMessage | Wake): void {
    if (message === WAKE) return;
    this.#taken = (this.#taken + 1) | 0;
    if (message.kind === 'input') this.#bytes = message.bytes;
    else this.#hostContext = message.value;
  }
}
