import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answer, BodyCheck, numberText } from '../../../bench/load/body-check.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

function check(answer: Answer, number: number, pieces: readonly Buffer[]): boolean {
  const one = new BodyCheck();
  one.begin(answer, number);
  for (const piece of pieces) {
    const padded = Buffer.concat([bytes('xx'), piece, bytes('xx')]);
    one.take(padded, 2, 2 + piece.length);
  }
  return one.isRight;
}

const LONG = 'abcdefghij'.repeat(20);
const CASES: readonly [what: string, answer: Answer, number: number, right: string][] = [
  ['a fixed answer', { before: bytes(''), between: 'nothing', after: bytes('hello') }, 7, 'hello'],
  ['a long one', { before: bytes(''), between: 'nothing', after: bytes(LONG) }, 7, LONG],
  [
    'one with the number',
    { before: bytes('{"m":"🦀 '), between: 'number', after: bytes('"}') },
    1_234_567,
    '{"m":"🦀 01234567"}',
  ],
  [
    'one that begins with the number',
    { before: bytes(''), between: 'number', after: bytes(LONG) },
    99_999_999,
    `99999999${LONG}`,
  ],
  [
    'one that is the number',
    { before: bytes(''), between: 'number', after: bytes('') },
    100_000_003,
    '00000003',
  ],
];

describe('BodyCheck', () => {
  for (const [what, answer, number, right] of CASES) {
    const body = bytes(right);
    it(`takes ${what}, cut at every byte`, () => {
      for (let at = 0; at <= body.length; at++) {
        assert.ok(check(answer, number, [body.subarray(0, at), body.subarray(at)]), `${at}`);
      }
    });
    it(`sees every byte of ${what} that is another, missing or too much`, () => {
      for (let at = 0; at < body.length; at++) {
        const other = Buffer.from(body);
        other[at] = (other[at] as number) ^ 1;
        assert.ok(!check(answer, number, [other]), `byte ${at}`);
        assert.ok(!check(answer, number, [other.subarray(0, at + 1), other.subarray(at + 1)]));
        assert.ok(!check(answer, number, [body.subarray(0, at)]), `cut at ${at}`);
      }
      assert.ok(!check(answer, number, [body, bytes('x')]));
      assert.ok(!check(answer, number, []), 'empty');
    });
  }

  it('sees the answer to the next number', () => {
    for (const [, answer, number, right] of CASES) {
      if (answer.between === 'number') assert.ok(!check(answer, number + 1, [bytes(right)]));
    }
  });

  it('takes any number where it is asked for, and no other text', () => {
    const answer: Answer = {
      before: bytes('{"count":3,"total":'),
      between: 'any-number',
      after: bytes(',"vowels":"aeiou"}'),
    };
    for (const total of ['3', '0', '12345678901234']) {
      const body = bytes(`{"count":3,"total":${total},"vowels":"aeiou"}`);
      for (let at = 0; at <= body.length; at++) {
        assert.ok(check(answer, 0, [body.subarray(0, at), body.subarray(at)]), `${total} ${at}`);
      }
    }
    for (const body of [
      '{"count":4,"total":3,"vowels":"aeiou"}',
      '{"count":3,"total":,"vowels":"aeiou"}',
      '{"count":3,"total":x,"vowels":"aeiou"}',
      '{"count":3,"total":3',
      '{"count":3,"total":3,"vowels":"aeio"}',
    ]) {
      assert.ok(!check(answer, 0, [bytes(body)]), body);
    }
  });

  it('takes an empty answer for an empty one', () => {
    const answer: Answer = { before: bytes(''), between: 'nothing', after: bytes('') };
    assert.ok(check(answer, 0, []));
    assert.ok(!check(answer, 0, [bytes('x')]));
  });
});

describe('numberText', () => {
  it('is 8 digits, and begins again after the last of them', () => {
    assert.equal(numberText(0), '00000000');
    assert.equal(numberText(42), '00000042');
    assert.equal(numberText(100_000_042), '00000042');
  });
});
