/**
 * One request's call as the lock sees it. Its end is told once, after the permit is given back, so
 * that writing the reply holds no plugin; or before that, when the instance has to be replaced, so
 * that this caller does not wait for the next one's instance.
 */
import { ServerError } from '../errors.ts';
import type { Job, LockRefusal } from '../lock/lock.ts';
import type { InstanceSlot } from './instance-slot.ts';
import type { PluginObserver } from './observer.ts';

/** Takes the end of one call; exactly one of the two is called, once. Must not throw. */
export interface CallListener {
  /**
   * Looks at the output first, where not every output is an answer.
   * @throws ServerError with which the call has failed then, for the count and for `failed`.
   */
  accept?(output: Uint8Array): void;
  succeeded(output: Uint8Array): void;
  failed(error: ServerError): void;
}

const REFUSALS: Readonly<Record<LockRefusal, string>> = {
  QUEUE_FULL: 'too many requests wait for this plugin',
  WAIT_DEADLINE: 'the request waited too long for this plugin',
  CLIENT_CLOSED: 'the client went away before its turn',
  SHUTTING_DOWN: 'the server is shutting down',
};

/** What is called, with what. */
export interface Call {
  readonly functionName: string;
  readonly input: Uint8Array;
  /** What host functions read as `hostContext()`. */
  readonly hostContext: unknown;
}

export class CallJob implements Job<InstanceSlot> {
  readonly #functionName: string;
  readonly #listener: CallListener;
  readonly #observer: PluginObserver;
  /** null once it ran: a slow client's reply must not keep the input. */
  #call: Call | null;
  #output: Uint8Array | null = null;
  #error: ServerError | null = null;
  #isTold = false;

  constructor(call: Call, listener: CallListener, observer: PluginObserver) {
    this.#functionName = call.functionName;
    this.#call = call;
    this.#listener = listener;
    this.#observer = observer;
  }

  run(slot: InstanceSlot): undefined | Promise<void> {
    try {
      const output = slot.call(this.#call as Call);
      if (output instanceof Promise) return this.#await(slot, output);
      this.#output = output;
    } catch (thrown) {
      this.#error = ServerError.from(thrown);
    }
    return this.#settle(slot);
  }

  released(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    if (this.#error === null) this.#accept(this.#output as Uint8Array);
    if (this.#error === null) {
      this.#observer.called(this.#functionName, 'ok');
      this.#listener.succeeded(this.#output as Uint8Array);
    } else {
      this.#observer.called(this.#functionName, this.#error.code);
      const { limit } = this.#error.details;
      if (typeof limit === 'string') this.#observer.limited(limit);
      this.#listener.failed(this.#error);
    }
  }

  refuse(code: LockRefusal): void {
    this.#error = new ServerError(code, REFUSALS[code]);
    this.released();
  }

  #accept(output: Uint8Array): void {
    try {
      this.#listener.accept?.(output);
    } catch (thrown) {
      this.#error = ServerError.from(thrown);
    }
  }

  async #await(slot: InstanceSlot, pending: Promise<Uint8Array>): Promise<void> {
    try {
      this.#output = await pending;
    } catch (thrown) {
      this.#error = ServerError.from(thrown);
    }
    await this.#settle(slot);
  }

  #settle(slot: InstanceSlot): undefined | Promise<void> {
    this.#call = null;
    const settling = slot.settle();
    if (settling !== undefined) this.released();
    return settling;
  }
}
