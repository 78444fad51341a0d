/**
 * Sends many requests at once on bare sockets, pipelined, and hands back every reply in order:
 * fetch and http.Agent cannot pipeline.
 */
import { connect, type Socket } from 'node:net';

export interface WireRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface WireReply {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** Resolves to the replies in the order of the requests. Rejects when the connection ends early. */
export function pipeline(port: number, requests: readonly WireRequest[]): Promise<WireReply[]> {
  return new Promise((resolve, reject) => {
    const replies: WireReply[] = [];
    let received = Buffer.alloc(0);
    const socket: Socket = connect({ port, host: '127.0.0.1' });
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      for (let taken = takeReply(received); taken !== null; taken = takeReply(received)) {
        replies.push(taken.reply);
        received = received.subarray(taken.length);
      }
      if (replies.length === requests.length) socket.end();
    });
    socket.once('error', reject);
    socket.once('close', () => {
      if (replies.length === requests.length) resolve(replies);
      else reject(new Error(`${replies.length} of ${requests.length} replies came`));
    });
    socket.write(Buffer.concat(requests.map(encode)));
  });
}

function encode(request: WireRequest): Buffer {
  const { method = 'POST', path = '/', headers = {} } = request;
  const body = Buffer.from(request.body ?? '');
  const lines = Object.entries({
    host: '127.0.0.1',
    'content-length': String(body.length),
    ...headers,
  });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${head}\r\n`), body]);
}

function takeReply(received: Buffer): { reply: WireReply; length: number } | null {
  const headLength = received.indexOf(HEAD_END);
  if (headLength < 0) return null;
  const [first = '', ...lines] = received.toString('latin1', 0, headLength).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const start = headLength + HEAD_END.length;
  const end = start + Number(headers['content-length'] ?? 0);
  if (received.length < end) return null;
  const status = Number(first.split(' ')[1]);
  return { reply: { status, headers, body: received.toString('utf8', start, end) }, length: end };
}
