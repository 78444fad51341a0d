/**
 * One bare connection, for what no HTTP client would send: broken requests, half of one, a reply
 * that is not read. It keeps its own half open when the server ends, as a rude client does.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { WireReply } from '../helpers/pipelined-client.ts';
import { waitFor } from '../helpers/wait-for.ts';

export class WireClient {
  readonly socket: Socket;
  /** When the server ended its half, or the whole connection. */
  readonly ended: Promise<unknown>;
  #received = '';

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#received += text;
    });
    socket.on('error', () => {});
    this.ended = new Promise((resolve) => {
      socket.once('end', resolve);
      socket.once('close', resolve);
    });
  }

  static async connect(port: number): Promise<WireClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return new WireClient(socket);
  }

  send(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** The whole replies received so far. */
  replies(): WireReply[] {
    const replies: WireReply[] = [];
    let rest = this.#received;
    for (;;) {
      const [head = '', after] = splitOnce(rest, '\r\n\r\n');
      if (after === undefined) return replies;
      const [first = '', ...lines] = head.split('\r\n');
      const headers = Object.fromEntries(
        lines.map((line) => {
          const [name = '', value = ''] = splitOnce(line, ':');
          return [name.toLowerCase(), value.trim()];
        }),
      );
      const length = Number(headers['content-length'] ?? 0);
      if (after.length < length) return replies;
      const body = Buffer.from(after.slice(0, length), 'latin1').toString('utf8');
      replies.push({ status: Number(first.split(' ')[1]), headers, body });
      rest = after.slice(length);
    }
  }

  /** Resolves to the first replies once there are so many. Rejects when the server ended before. */
  async answers(count: number): Promise<WireReply[]> {
    let hasEnded = false;
    void this.ended.then(() => {
      hasEnded = true;
    });
    await waitFor(`${count} replies`, () => {
      const { length } = this.replies();
      if (hasEnded && length < count) throw new Error(`${length} of ${count} replies came`);
      return length >= count;
    });
    return this.replies().slice(0, count);
  }
}

function splitOnce(text: string, by: string): [string, string | undefined] {
  const at = text.indexOf(by);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + by.length)];
}
