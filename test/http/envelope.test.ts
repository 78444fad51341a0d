/** The codec of route mode `http`, without a server. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServerError } from '../../src/errors.ts';
import { decodeEnvelope, type EnvelopeRequest, encodeEnvelope } from '../../src/http/envelope.ts';

const NOT_UTF8 = Buffer.from([0xf0, 0x28, 0x8c, 0xbc]);

function encode(changes: Partial<EnvelopeRequest>): Record<string, unknown> {
  const input = encodeEnvelope({
    method: 'POST',
    uri: '/',
    headers: {},
    params: {},
    query: {},
    body: new Uint8Array(0),
    ...changes,
  });
  return JSON.parse(Buffer.from(input).toString('utf8')) as Record<string, unknown>;
}

function decode(reply: unknown) {
  return decodeEnvelope(Buffer.from(JSON.stringify(reply)));
}

describe('encodeEnvelope', () => {
  it('gives method, uri, params and query as they are', () => {
    const fields = { method: 'PUT', uri: '/a/1?b=2', params: { id: '1' }, query: { b: '2' } };
    assert.deepEqual(encode(fields), { ...fields, body: '', header: {} });
  });

  it('writes header names as Go does, each with a list of values', () => {
    const { header } = encode({
      headers: {
        host: 'x',
        'content-type': 'text/plain',
        'x-forwarded-for': 'a, b',
        'set-cookie': ['a=1', 'b=2'],
        etag: undefined,
        'x-1a-b': 'c',
      },
    });
    assert.deepEqual(header, {
      Host: ['x'],
      'Content-Type': ['text/plain'],
      'X-Forwarded-For': ['a, b'],
      'Set-Cookie': ['a=1', 'b=2'],
      'X-1a-B': ['c'],
    });
  });

  it('gives a body that is text as text', () => {
    const { body, bodyBase64 } = encode({ body: Buffer.from('"😄"\n\0') });
    assert.equal(body, '"😄"\n\0');
    assert.equal(bodyBase64, undefined);
  });

  it('gives a body that is not UTF-8 in base64, and not as text', () => {
    const { body, bodyBase64 } = encode({ body: NOT_UTF8 });
    assert.equal(body, '');
    assert.equal(bodyBase64, NOT_UTF8.toString('base64'));
  });

  it('gives the bytes of a view alone', () => {
    const { body } = encode({
      body: new Uint8Array(Buffer.from('secret text secret')).subarray(7, 11),
    });
    assert.equal(body, 'text');
  });
});

describe('decodeEnvelope', () => {
  it('fills in what Simplism lets a guest leave out', () => {
    for (const reply of [{}, { code: 0, header: null, body: null }]) {
      assert.deepEqual(decode(reply), { status: 200, headers: {}, body: new Uint8Array(0) });
    }
  });

  it('reads status, headers and body', () => {
    const reply = decode({
      code: 201,
      header: { Location: ['/a'], 'Set-Cookie': ['a=1', 'b=2'], 'X-One': 'text' },
      body: '😄',
    });
    assert.equal(reply.status, 201);
    assert.deepEqual(reply.headers, {
      Location: '/a',
      'Set-Cookie': ['a=1', 'b=2'],
      'X-One': 'text',
    });
    assert.equal(Buffer.from(reply.body).toString(), '😄');
  });

  it('reads a body in base64, padded or not, before the text', () => {
    for (const bodyBase64 of [
      NOT_UTF8.toString('base64'),
      NOT_UTF8.toString('base64').replace(/=+$/, ''),
    ]) {
      assert.ok(NOT_UTF8.equals(decode({ body: 'text', bodyBase64 }).body));
    }
    assert.equal(Buffer.from(decode({ body: 'text', bodyBase64: '' }).body).toString(), 'text');
  });

  const badReplies: [name: string, reply: unknown][] = [
    ['a list', []],
    ['a text', 'x'],
    ['null', null],
    ...[99, 100, 101, 199, 600, -1, 200.5, '200', true].map((code): [string, unknown] => [
      `the code ${JSON.stringify(code)}`,
      { code },
    ]),
    ['a header that is a list', { header: [] }],
    ['a header that is text', { header: 'x' }],
    ['a header value that is a number', { header: { A: [1] } }],
    ['a header value that is null', { header: { A: null } }],
    ['a header name with a space', { header: { 'A B': ['x'] } }],
    ['an empty header name', { header: { '': ['x'] } }],
    ['a header name with a line break', { header: { 'A\r\nB': ['x'] } }],
    ['a header value with a line break', { header: { A: ['x\r\nB: y'] } }],
    ['a header value with a NUL', { header: { A: ['x\0'] } }],
    ['a header value beyond latin-1', { header: { A: ['😄'] } }],
    ['a body that is a number', { body: 1 }],
    ['a body that is an object', { body: {} }],
    ['a bodyBase64 that is a number', { bodyBase64: 1 }],
    ['a bodyBase64 that is not base64', { bodyBase64: 'a b!' }],
    ...[
      'Connection',
      'content-length',
      'Transfer-Encoding',
      'TRAILER',
      'Upgrade',
      'Keep-Alive',
      'TE',
      'Proxy-Connection',
    ].map((name): [string, unknown] => [`the header ${name}`, { header: { [name]: ['x'] } }]),
  ];
  for (const [name, reply] of badReplies) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => decode(reply),
        (error) => isBadOutput(error),
      );
    });
  }

  it('refuses more values than a reply has use for, but takes any text', () => {
    const values = { body: 'x', more: Array.from({ length: 40_000 }, () => 0) };
    assert.throws(
      () => decode(values),
      (error) => isBadOutput(error) && /more than 10000 values/.test(String(error)),
    );
    const body = '",[{\\'.repeat(100_000);
    assert.equal(Buffer.from(decode({ body }).body).toString(), body);
  });

  it('quotes no more of a reply than a message has room for', () => {
    const long = 'x'.repeat(1_000_000);
    for (const reply of [{ code: long }, { header: { [`${long} `]: 'x' } }]) {
      assert.throws(
        () => decode(reply),
        (error) => isBadOutput(error) && (error as Error).message.length < 300,
      );
    }
  });

  it('refuses what is not JSON, and what is not UTF-8', () => {
    for (const output of [
      Buffer.from(''),
      Buffer.from('{'),
      Buffer.concat([Buffer.from('{"body":"'), NOT_UTF8, Buffer.from('"}')]),
    ]) {
      assert.throws(
        () => decodeEnvelope(output),
        (error) => isBadOutput(error),
      );
    }
  });
});

function isBadOutput(error: unknown): boolean {
  return error instanceof ServerError && error.code === 'PLUGIN_BAD_OUTPUT';
}
