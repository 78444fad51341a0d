/**
 * The end of an HTTP channel that makes the requests, in a thread whose event loop turns: the one
 * that started the plugin's thread. Policy is kept on this side, where no guest runs.
 */
import { ServerError } from '../../errors.ts';
import { type GuestHttpLimits, GuestHttpRequester } from './guest-http-requester.ts';
import type { HttpChannelEnd, HttpQuestion, HttpReply } from './http-channel.ts';

/** Serves until `close` or until the other end is gone; does not keep the process alive. */
export function serveHttp(
  { port, answers }: HttpChannelEnd,
  limits: GuestHttpLimits,
): { readonly close: () => void } {
  const requester = new GuestHttpRequester(limits);
  port.on('message', (question: HttpQuestion) => {
    void answer(requester, question).then((reply) => {
      port.postMessage(reply);
      Atomics.add(answers, 0, 1);
      Atomics.notify(answers, 0);
    });
  });
  // Also when the plugin's thread was terminated: then nobody waits for what runs.
  port.on('close', () => requester.close());
  port.unref();
  return { close: () => port.close() };
}

async function answer(requester: GuestHttpRequester, question: HttpQuestion): Promise<HttpReply> {
  const { id, request, body, remainingMs } = question;
  try {
    return { id, response: await requester.send(request, body, remainingMs) };
  } catch (thrown) {
    const { code, message, details } = ServerError.from(thrown);
    return { id, error: { code, message, details } };
  }
}
