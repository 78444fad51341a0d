import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Reply, ReplyReader } from '../../../src/cli/verify/reply-reader.ts';

const STREAM = Buffer.from(
  [
    'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\none!',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\ntwo\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n3\r\n0\r\nTrailer: 1\r\n\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\ncontent-length: 5\r\nconnection: close\r\n\r\n🦀!',
  ].join(''),
);
const EXPECTED: readonly Reply[] = [
  { status: 200, body: 'one!', isLast: false },
  { status: 200, body: 'two\r\n\r\n', isLast: false },
  { status: 200, body: '3', isLast: false },
  { status: 204, body: '', isLast: false },
  { status: 503, body: '🦀!', isLast: true },
];

describe('ReplyReader', () => {
  it('reads pipelined replies, cut at every byte', () => {
    for (let at = 0; at <= STREAM.length; at++) {
      const reader = new ReplyReader();
      const replies = [...reader.take(STREAM.subarray(0, at)), ...reader.take(STREAM.subarray(at))];
      assert.deepEqual(replies, EXPECTED, `cut at ${at}`);
      assert.equal(reader.finish(), null);
    }
  });

  it('reads a body up to the end of the connection', () => {
    const reader = new ReplyReader();
    assert.deepEqual(reader.take(Buffer.from('HTTP/1.1 200 OK\r\n\r\nbo')), []);
    assert.deepEqual(reader.take(Buffer.from('dy')), []);
    assert.deepEqual(reader.finish(), { status: 200, body: 'body', isLast: false });
  });

  it('gives no reply for one that is cut', () => {
    const reader = new ReplyReader();
    reader.take(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncut'));
    assert.equal(reader.finish(), null);
  });

  for (const text of [
    'SSH-2.0-OpenSSH\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => new ReplyReader().take(Buffer.from(text)));
    });
  }
});
