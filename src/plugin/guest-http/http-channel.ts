/**
 * The line between a thread that waits for an HTTP answer and the one that gets it: messages over a
 * port, and a shared counter of answers to sleep on. Both ends are cloned or transferred into
 * threads (`workerData` with `transferList: [end.port]`).
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { ErrorCode } from '../../errors.ts';
import type { GuestHttpResponse } from '../kernel/http-host.ts';

export interface HttpChannelEnd {
  readonly port: MessagePort;
  /** One counter: raised after each answer was posted. */
  readonly answers: Int32Array<SharedArrayBuffer>;
}

/** What the waiting thread posts. */
export interface HttpQuestion {
  readonly id: number;
  readonly request: Uint8Array;
  readonly body: Uint8Array | null;
  readonly remainingMs: number;
}

/** What it gets back. */
export type HttpReply =
  | { readonly id: number; readonly response: GuestHttpResponse }
  | {
      readonly id: number;
      readonly error: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly details: Readonly<Record<string, unknown>>;
      };
    };

/** `guest` goes to the thread that runs the plugin, `host` to {@link serveHttp}'s. */
export function createHttpChannel(): {
  readonly guest: HttpChannelEnd;
  readonly host: HttpChannelEnd;
} {
  const { port1, port2 } = new MessageChannel();
  const answers = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  return { guest: { port: port1, answers }, host: { port: port2, answers } };
}
