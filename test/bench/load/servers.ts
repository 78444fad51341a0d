/** Servers that the load client is tried on, in the test's own process. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LoadOptions } from '../../../bench/load/load-options.ts';

export interface TestServer {
  readonly url: string;
  /** Requests whose body came in full. */
  readonly received: { count: number };
}

export type Answering = (
  body: string,
  response: ServerResponse,
  request: IncomingMessage,
  /** From 1. */
  count: number,
) => unknown;

export async function startTestServer(
  t: { after(end: () => void): void },
  answer: Answering,
): Promise<TestServer> {
  const received = { count: 0 };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    received.count++;
    answer(Buffer.concat(chunks).toString('utf8'), response, request, received.count);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, received };
}

export const hello = (name: string): string => `{"message":"🦀 Hello ${name}"}`;

export const answerHello: Answering = (body, response) => void response.end(hello(body));
export const answerEcho: Answering = (body, response) => void response.end(body);

export function loadOptions(url: string, changes: Partial<LoadOptions>): LoadOptions {
  return {
    url,
    method: 'POST',
    traffic: { kind: 'unique-hello' },
    connections: 8,
    threads: 1,
    pipelining: 1,
    keepAlive: true,
    rate: null,
    durationMs: 500,
    warmUpMs: 0,
    requests: 1000,
    timeoutMs: 20_000,
    ...changes,
  };
}
