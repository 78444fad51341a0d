/**
 * HTTP for a guest whose thread sleeps while it waits: for plugins in threads of their own, on
 * every engine. The other end is serve-http.ts.
 */
import { receiveMessageOnPort } from 'node:worker_threads';
import { ServerError } from '../../errors.ts';
import type { GuestHttp } from '../kernel/http-host.ts';
import type { HttpChannelEnd, HttpQuestion, HttpReply } from './http-channel.ts';
import { httpDeadline } from './http-error.ts';

export type BlockingHttp = Extract<GuestHttp, { kind: 'blocking' }>;

/** @param remainingMs what is left of the running call; it wakes the thread even if no answer comes. */
export function createBlockingHttp(
  { port, answers }: HttpChannelEnd,
  remainingMs: () => number,
): BlockingHttp {
  let id = 0;
  return {
    kind: 'blocking',
    request(request, body) {
      const waitMs = remainingMs();
      if (!(waitMs > 0)) throw httpDeadline();
      const endsAt = performance.now() + waitMs;
      id++;
      const question: HttpQuestion = { id, request, body, remainingMs: waitMs };
      port.postMessage(question);
      for (;;) {
        // Read before the port is emptied: an answer that comes in between changes it, so the
        // wait returns at once.
        const seen = Atomics.load(answers, 0);
        const reply = takeReply(port, id);
        if (reply !== null) {
          if ('response' in reply) return reply.response;
          const { code, message, details } = reply.error;
          throw new ServerError(code, message, { details });
        }
        const leftMs = endsAt - performance.now();
        if (leftMs <= 0) throw httpDeadline();
        Atomics.wait(answers, 0, seen, leftMs);
      }
    },
  };
}

/** Replies to earlier questions, whose callers gave up, are dropped. */
function takeReply(port: HttpChannelEnd['port'], id: number): HttpReply | null {
  for (;;) {
    const received = receiveMessageOnPort(port) as { message: HttpReply } | undefined;
    if (received === undefined) return null;
    if (received.message.id === id) return received.message;
  }
}
