/**
 * Takes HTTP/1.1 replies out of what a socket delivers: with a length, chunked, or up to the end of
 * the connection. node:http cannot be used for it, since it never pipelines.
 */

export interface Reply {
  readonly status: number;
  /** Bytes outside UTF-8 are replaced: ids are digits. */
  readonly body: string;
  /** The server closes the connection after it. */
  readonly isLast: boolean;
}

const HEAD_END = '\r\n\r\n';
const LINE_END = '\r\n';

/** Those of a reply that is not complete yet; more is not kept. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

interface Head {
  readonly status: number;
  /** Bytes, chunks, or all that comes. */
  readonly length: number | 'chunked' | 'until-end';
  readonly isLast: boolean;
  readonly bytes: number;
}

export class ReplyReader {
  #pending: Buffer = Buffer.alloc(0);

  /** The replies that are complete with these bytes. @throws Error for what is not HTTP/1.1. */
  take(bytes: Buffer): Reply[] {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const replies: Reply[] = [];
    for (let reply = this.#next(false); reply !== null; reply = this.#next(false)) {
      replies.push(reply);
    }
    if (this.#pending.length > MAX_PENDING_BYTES) throw new Error('the reply is too long');
    return replies;
  }

  /** The connection has ended; a body without a length ends with it. */
  finish(): Reply | null {
    return this.#next(true);
  }

  #next(isEnded: boolean): Reply | null {
    const head = readHead(this.#pending);
    if (head === null) return null;
    const body = readBody(this.#pending.subarray(head.bytes), head.length, isEnded);
    if (body === null) return null;
    this.#pending = this.#pending.subarray(head.bytes + body.bytes);
    if (head.status < 200) return this.#next(isEnded);
    return { status: head.status, body: body.text, isLast: head.isLast };
  }
}

/** Null as long as it is not complete. */
function readHead(bytes: Buffer): Head | null {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return null;
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split(LINE_END);
  const status = Number(/^HTTP\/1\.[01] (\d{3})\b/.exec(first)?.[1]);
  if (!(status >= 100)) throw new Error('not an HTTP/1.1 reply');
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [
        line.slice(0, colon).toLowerCase(),
        line
          .slice(colon + 1)
          .trim()
          .toLowerCase(),
      ];
    }),
  );
  const length = headers.get('content-length');
  const hasNoBody = status < 200 || status === 204 || status === 304;
  const isChunked = headers.get('transfer-encoding') === 'chunked';
  return {
    status,
    length: hasNoBody
      ? 0
      : isChunked
        ? 'chunked'
        : length === undefined
          ? 'until-end'
          : Number(length),
    isLast: headers.get('connection') === 'close',
    bytes: end + HEAD_END.length,
  };
}

/** Null as long as it is not complete. */
function readBody(
  bytes: Buffer,
  length: Head['length'],
  isEnded: boolean,
): { text: string; bytes: number } | null {
  if (length === 'chunked') return readChunks(bytes);
  const count =
    length === 'until-end' ? (isEnded ? bytes.length : Number.POSITIVE_INFINITY) : length;
  if (Number.isNaN(count)) throw new Error('no length');
  return bytes.length < count ? null : { text: bytes.toString('utf8', 0, count), bytes: count };
}

function readChunks(bytes: Buffer): { text: string; bytes: number } | null {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf(LINE_END, at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (!(size >= 0)) throw new Error('no chunk size');
    const start = lineEnd + LINE_END.length;
    if (size === 0) {
      // Trailers end with an empty line, as a head does; without any there is only that line.
      const end = bytes.indexOf(HEAD_END, lineEnd);
      return end < 0
        ? null
        : { text: Buffer.concat(chunks).toString('utf8'), bytes: end + HEAD_END.length };
    }
    at = start + size + LINE_END.length;
    if (bytes.length < at) return null;
    chunks.push(bytes.subarray(start, start + size));
  }
}
