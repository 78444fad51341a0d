/**
 * The line between a guest's thread, which sleeps, and the thread that runs its host functions: one
 * call at a time, in whose course the function may ask for the call's context. Each side counts what
 * it posted, and the other sleeps on that count.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { ErrorCode, ServerError } from '../../errors.ts';
import type { CallContext } from '../kernel/call-context.ts';

export interface FunctionChannel {
  readonly port: MessagePort;
  /** Messages that this side gets, and those that it posts, so far. */
  readonly received: Int32Array<SharedArrayBuffer>;
  readonly posted: Int32Array<SharedArrayBuffer>;
}

/** Names of the context's members; `logLevel=` sets. */
export type ContextMember =
  | Exclude<keyof CallContext, 'begin' | 'hostContext' | 'logLevel'>
  | 'logLevel'
  | 'logLevel=';

export type Outcome = { readonly value: unknown } | { readonly error: SentError };

export interface SentError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** From the guest's thread: a call, or an answer to what the running one asked. */
export type GuestSideMessage =
  | {
      readonly kind: 'call';
      readonly namespace: string;
      readonly name: string;
      readonly values: readonly unknown[];
      readonly hostContext: unknown;
    }
  | { readonly kind: 'answer'; readonly outcome: Outcome };

/** From the functions' thread: what the function wants of its context, or how it ended. */
export type FunctionSideMessage =
  | {
      readonly kind: 'context';
      readonly member: ContextMember;
      readonly values: readonly unknown[];
    }
  | { readonly kind: 'end'; readonly outcome: Outcome };

export function post(
  channel: FunctionChannel,
  message: GuestSideMessage | FunctionSideMessage,
): void {
  channel.port.postMessage(message);
  Atomics.add(channel.posted, 0, 1);
  Atomics.notify(channel.posted, 0);
}

/** Sleeps until a message is there. The thread's event loop stands still meanwhile. */
export function waitForMessage({ port, received }: FunctionChannel): unknown {
  for (;;) {
    // Read before the port is looked at: a message that comes in between changes it.
    const seen = Atomics.load(received, 0);
    const found = receiveMessageOnPort(port) as { message: unknown } | undefined;
    if (found !== undefined) return found.message;
    Atomics.wait(received, 0, seen);
  }
}

export function sendable({ code, message, details }: ServerError): SentError {
  return { code, message, details };
}
