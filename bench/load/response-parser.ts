/**
 * Reads HTTP/1.1 responses from the pieces a socket delivers, whatever they are cut into, and hands bodies on
 * piece by piece without keeping them. Content-Length, chunked, and bodies that last until the connection ends.
 * Owns no socket and knows no request; connection.ts matches the two.
 */

/** What is told of one response, in this order. Pieces are only valid during the call. */
export interface ResponseSink {
  onHead(status: number): void;
  onBody(bytes: Buffer, start: number, end: number): void;
  /** `isLast`: the server closes the connection after this response. */
  onEnd(isLast: boolean): void;
}

/** The bytes are no HTTP/1.1 response. */
export class BadResponse extends Error {}

const MOST_LINE_BYTES = 65_536;
const LF = 10;
const CR = 13;
const COLON = 58;
const SPACE = 32;

/** `done`: the last response of the connection has ended, and what follows it is no one's. */
type State =
  | 'status'
  | 'header'
  | 'body'
  | 'until-close'
  | 'chunk-size'
  | 'chunk-end'
  | 'trailer'
  | 'done';

export class ResponseParser {
  readonly #sink: ResponseSink;
  #state: State = 'status';
  /** A line that began in an earlier piece. */
  #carry: Buffer | null = null;
  #status = 0;
  #contentLength = -1;
  #isChunked = false;
  #isLast = false;
  /** Bytes of the body, or of the chunk, still to come. */
  #remaining = 0;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** Whether a response has begun and not ended. */
  get isInside(): boolean {
    return (this.#state !== 'status' && this.#state !== 'done') || this.#carry !== null;
  }

  /** @throws BadResponse; the parser is of no more use then. */
  read(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && this.#state !== 'done') {
      if (this.#state === 'body') at = this.#readBody(bytes, at, end);
      else if (this.#state === 'until-close') {
        this.#sink.onBody(bytes, at, end);
        at = end;
      } else at = this.#readLine(bytes, at, end);
    }
  }

  /** The server has ended the connection. False when that cuts a response. */
  finish(): boolean {
    if (this.#state === 'until-close') this.#complete();
    return !this.isInside;
  }

  #readBody(bytes: Buffer, at: number, end: number): number {
    const to = Math.min(end, at + this.#remaining);
    this.#sink.onBody(bytes, at, to);
    this.#remaining -= to - at;
    if (this.#remaining > 0) return to;
    if (this.#isChunked) this.#state = 'chunk-end';
    else this.#complete();
    return to;
  }

  #readLine(bytes: Buffer, at: number, end: number): number {
    let to = at;
    while (to < end && bytes[to] !== LF) to++;
    if (to === end || this.#carry !== null) {
      const piece = bytes.subarray(at, to);
      const line = this.#carry === null ? Buffer.from(piece) : Buffer.concat([this.#carry, piece]);
      if (line.length > MOST_LINE_BYTES) throw new BadResponse('a line is too long');
      this.#carry = to === end ? line : null;
      if (to < end) this.#takeLine(line, 0, line.length);
      return Math.min(to + 1, end);
    }
    this.#takeLine(bytes, at, to);
    return to + 1;
  }

  /** A line without its LF. */
  #takeLine(bytes: Buffer, start: number, lineEnd: number): void {
    const end = lineEnd > start && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    switch (this.#state) {
      case 'status':
        this.#takeStatus(bytes, start, end);
        break;
      case 'header':
        if (end === start) this.#endHead();
        else this.#takeHeader(bytes, start, end);
        break;
      case 'chunk-size':
        this.#takeChunkSize(bytes, start, end);
        break;
      case 'chunk-end':
        if (end !== start) throw new BadResponse('a chunk is longer than it says');
        this.#state = 'chunk-size';
        break;
      default:
        if (end === start) this.#complete();
    }
  }

  #takeStatus(bytes: Buffer, start: number, end: number): void {
    const status = end - start < 12 ? Number.NaN : readNumber(bytes, start + 9, start + 12, 10);
    const isHttp = isWord(bytes, start, start + 7, 'http/1.') && bytes[start + 8] === SPACE;
    if (!isHttp || !(status >= 100)) throw new BadResponse('no status line');
    this.#status = status;
    this.#contentLength = -1;
    this.#isChunked = false;
    // An HTTP/1.0 server keeps a connection only if it says so; none that is measured here does.
    this.#isLast = bytes[start + 7] === 0x30;
    this.#state = 'header';
  }

  #takeHeader(bytes: Buffer, start: number, end: number): void {
    const first = (bytes[start] as number) | 0x20;
    // 'c' and 't': the rest of the names is not read.
    if (first !== 0x63 && first !== 0x74) return;
    let nameEnd = start;
    while (nameEnd < end && bytes[nameEnd] !== COLON) nameEnd++;
    let from = nameEnd + 1;
    while (from < end && bytes[from] === SPACE) from++;
    if (isWord(bytes, start, nameEnd, 'content-length')) {
      const length = readNumber(bytes, from, end, 10);
      const isTwo = this.#contentLength >= 0 && this.#contentLength !== length;
      if (!(length >= 0) || isTwo) throw new BadResponse('no content-length');
      this.#contentLength = length;
    } else if (isWord(bytes, start, nameEnd, 'transfer-encoding')) {
      if (!isWord(bytes, from, end, 'chunked')) throw new BadResponse('an unknown coding');
      this.#isChunked = true;
    } else if (isWord(bytes, start, nameEnd, 'connection') && isWord(bytes, from, end, 'close')) {
      this.#isLast = true;
    }
  }

  #endHead(): void {
    const status = this.#status;
    if (status < 200) {
      if (status === 101) throw new BadResponse('another protocol');
      this.#state = 'status';
      return;
    }
    if (this.#isChunked && this.#contentLength >= 0) throw new BadResponse('two lengths');
    this.#sink.onHead(status);
    this.#remaining = this.#contentLength;
    if (status === 204 || status === 304 || (!this.#isChunked && this.#remaining === 0)) {
      this.#complete();
    } else if (this.#isChunked) this.#state = 'chunk-size';
    else if (this.#remaining > 0) this.#state = 'body';
    else {
      this.#isLast = true;
      this.#state = 'until-close';
    }
  }

  #takeChunkSize(bytes: Buffer, start: number, end: number): void {
    let to = start;
    // Extensions begin with a semicolon.
    while (to < end && bytes[to] !== 0x3b && bytes[to] !== SPACE) to++;
    const size = readNumber(bytes, start, to, 16);
    if (!(size >= 0)) throw new BadResponse('no chunk size');
    this.#remaining = size;
    this.#state = size === 0 ? 'trailer' : 'body';
  }

  #complete(): void {
    this.#state = this.#isLast ? 'done' : 'status';
    this.#sink.onEnd(this.#isLast);
  }
}

/** Not negative; NaN for anything that is not digits alone or too large to be exact. */
function readNumber(bytes: Buffer, start: number, end: number, base: 10 | 16): number {
  if (start >= end || end - start > 12) return Number.NaN;
  let value = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    const letter = byte | 0x20;
    let digit = 99;
    if (byte >= 48 && byte <= 57) digit = byte - 48;
    else if (letter >= 97 && letter <= 102) digit = letter - 87;
    if (digit >= base) return Number.NaN;
    value = value * base + digit;
  }
  return value;
}

/** Without regard to case; `word` is in lower case. */
function isWord(bytes: Buffer, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false;
  for (let index = 0; index < word.length; index++) {
    const byte = bytes[start + index] as number;
    const lower = byte >= 65 && byte <= 90 ? byte | 0x20 : byte;
    if (lower !== word.charCodeAt(index)) return false;
  }
  return true;
}
