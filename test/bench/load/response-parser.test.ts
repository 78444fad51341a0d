import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BadResponse, ResponseParser } from '../../../bench/load/response-parser.ts';

interface Seen {
  status: number;
  body: string;
  isLast: boolean | null;
}

/** Feeds the pieces one after the other, in one buffer that is used again, as sockets do. */
function parse(pieces: readonly Buffer[], isEnded = false): { seen: Seen[]; isWhole: boolean } {
  const seen: Seen[] = [];
  const last = (): Seen => seen.at(-1) as Seen;
  const parser = new ResponseParser({
    onHead: (status) => seen.push({ status, body: '', isLast: null }),
    onBody: (bytes, start, end) => {
      last().body += bytes.toString('latin1', start, end);
    },
    onEnd: (isLast) => {
      last().isLast = isLast;
    },
  });
  const reused = Buffer.alloc(70_000);
  for (const piece of pieces) {
    piece.copy(reused, 3);
    parser.read(reused, 3, 3 + piece.length);
    reused.fill('x');
  }
  const isWhole = isEnded ? parser.finish() : !parser.isInside;
  return { seen, isWhole };
}

const wire = (...lines: string[]): Buffer => Buffer.from(lines.join('\r\n'), 'latin1');

const PLAIN = wire('HTTP/1.1 200 OK', 'Content-Length: 5', 'Date: now', '', 'hello');
const CHUNKED = wire(
  'HTTP/1.1 200 OK',
  'transfer-encoding: chunked',
  'Trailer: t',
  '',
  '5',
  'hello',
  'A; name=value',
  '\r\n\r\n012345',
  '0',
  'T: 1',
  '',
  '',
);
const EMPTY_CHUNKED = wire('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '0', '', '');
const NO_BODY = wire('HTTP/1.1 204 No Content', 'X: content-length: 7', '', '');
const REFUSED = wire('HTTP/1.1 503 Service Unavailable', 'CONTENT-LENGTH:0', '', '');
const CONTINUED = wire('HTTP/1.1 100 Continue', '', 'HTTP/1.1 200 ', 'content-length: 1', '', 'c');
const CLOSING = wire('HTTP/1.1 200 OK', 'connection: Close', 'content-length: 2', '', 'ok');
const BARE_LF = Buffer.from('HTTP/1.1 200 OK\ncontent-length: 2\n\nok');

const STREAM = Buffer.concat([
  PLAIN,
  CHUNKED,
  EMPTY_CHUNKED,
  NO_BODY,
  REFUSED,
  CONTINUED,
  BARE_LF,
  PLAIN,
  CLOSING,
]);
const EXPECTED: readonly Seen[] = [
  { status: 200, body: 'hello', isLast: false },
  { status: 200, body: 'hello\r\n\r\n012345', isLast: false },
  { status: 200, body: '', isLast: false },
  { status: 204, body: '', isLast: false },
  { status: 503, body: '', isLast: false },
  { status: 200, body: 'c', isLast: false },
  { status: 200, body: 'ok', isLast: false },
  { status: 200, body: 'hello', isLast: false },
  { status: 200, body: 'ok', isLast: true },
];

describe('ResponseParser', () => {
  it('reads pipelined responses that come in one piece', () => {
    assert.deepEqual(parse([STREAM]), { seen: EXPECTED, isWhole: true });
  });

  it('reads them cut at every byte', () => {
    for (let at = 1; at < STREAM.length; at++) {
      const { seen } = parse([STREAM.subarray(0, at), STREAM.subarray(at)]);
      assert.deepEqual(seen, EXPECTED, `cut at ${at}`);
    }
  });

  for (const size of [1, 2, 3, 7]) {
    it(`reads them in pieces of ${size}`, () => {
      const pieces = Array.from({ length: Math.ceil(STREAM.length / size) }, (_, index) =>
        STREAM.subarray(index * size, (index + 1) * size),
      );
      assert.deepEqual(parse(pieces).seen, EXPECTED);
    });
  }

  it('says whether the end of the connection cuts a response', () => {
    for (const whole of [PLAIN, CHUNKED, EMPTY_CHUNKED, NO_BODY]) {
      for (let at = 1; at < whole.length; at++) {
        assert.equal(parse([whole.subarray(0, at)], true).isWhole, false, `cut at ${at}`);
      }
      assert.equal(parse([whole], true).isWhole, true);
    }
  });

  it('reads a body without a length up to the end of the connection', () => {
    const head = wire('HTTP/1.1 200 OK', '', 'bo');
    const { seen, isWhole } = parse([head, Buffer.from('dy')], true);
    assert.deepEqual(seen, [{ status: 200, body: 'body', isLast: true }]);
    assert.ok(isWhole);
  });

  it('leaves alone what follows the last response', () => {
    assert.equal(parse([Buffer.concat([CLOSING, PLAIN])]).seen.length, 1);
  });

  for (const [what, bytes] of [
    ['no HTTP', wire('SSH-2.0-OpenSSH', '', '')],
    ['another version', wire('HTTP/2.0 200 OK', '', '')],
    ['a status that is none', wire('HTTP/1.1 2x0 OK', '', '')],
    ['a short first line', wire('HTTP/1.1', '', '')],
    ['two lengths', wire('HTTP/1.1 200 OK', 'content-length: 1', 'content-length: 2', '', 'ab')],
    ['a negative length', wire('HTTP/1.1 200 OK', 'content-length: -1', '', '')],
    ['a length of words', wire('HTTP/1.1 200 OK', 'content-length: 1 2', '', '')],
    [
      'length and chunks',
      wire('HTTP/1.1 200 OK', 'content-length: 1', 'transfer-encoding: chunked', '', '0', '', ''),
    ],
    ['a coding', wire('HTTP/1.1 200 OK', 'transfer-encoding: gzip', '', '')],
    ['a chunk size', wire('HTTP/1.1 200 OK', 'transfer-encoding: chunked', '', 'xyz', '')],
    ['a chunk too long', wire('HTTP/1.1 200 OK', 'transfer-encoding: chunked', '', '2', 'abc', '')],
    ['another protocol', wire('HTTP/1.1 101 Switching', '', '')],
    ['an endless line', Buffer.alloc(70_000 - 3, 'a')],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parse([bytes]), BadResponse);
      assert.throws(() => parse([...bytes].map((byte) => Buffer.from([byte]))), BadResponse);
    });
  }
});
