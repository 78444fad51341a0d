import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseJson } from '../../src/config/parse-json.ts';

function mistakeOf(text: string): string {
  const parsed = parseJson(text);
  if (parsed.ok) return 'none';
  const [first] = parsed.mistakes;
  return `${first?.line}:${first?.column} ${first?.text}`;
}

function parsesNatively(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('parseJson', () => {
  for (const [text, expected] of [
    ['', '1:1 ends where a value is expected'],
    ['{', '1:2 ends where a key in double quotes or "}" is expected'],
    ['{"a": 1,\n  }', '2:3 expected a key in double quotes, found "}"'],
    ['{"a" 1}', '1:6 expected ":", found "1"'],
    ['{"a": 1 "b": 2}', '1:9 expected "," or the closing bracket, found "\\""'],
    ["{'a': 1}", '1:2 expected a key in double quotes or "}", found "\'"'],
    ['[1,]', '1:4 expected a value, found "]"'],
    ['[1}', '1:3 expected "," or the closing bracket, found "}"'],
    ['{} {}', '1:4 expected the end of the file, found "{"'],
    ['{"a": 01}', '1:8 expected "," or the closing bracket, found "1"'],
    ['{"a": tru}', '1:7 expected a value, found "t"'],
    ['// x\n{}', '1:1 expected a value, found "/" (JSON has no comments)'],
    ['{"😄": "a\n"}', '1:9 expected the rest of a string, found "\\n"'],
    ['"\\x"', '1:2 expected the rest of a string, found "\\\\"'],
    ['"abc', '1:5 ends where the rest of a string is expected'],
    ['\r\n\r\n  x', '3:3 expected a value, found "x"'],
  ] as const) {
    it(`names line, column and what is expected in ${JSON.stringify(text)}`, () => {
      assert.equal(mistakeOf(text), expected);
    });
  }

  it('finds keys that appear twice, however they are written', () => {
    const parsed = parseJson('{"a": [{"b": 1, "c": {}, "\\u0062": 2}],\n"a": 3, "b": {"a": 1}}');
    assert.ok(!parsed.ok);
    assert.deepEqual(parsed.mistakes, [
      { line: 1, column: 26, path: ['a', 0, 'b'], text: 'appears twice' },
      { line: 2, column: 1, path: ['a'], text: 'appears twice' },
    ]);
  });

  it('bounds the nesting', () => {
    assert.ok(parseJson('['.repeat(64) + ']'.repeat(64)).ok);
    assert.match(mistakeOf('['.repeat(65) + ']'.repeat(65)), /^1:66 .*deeper than 64/);
    assert.match(mistakeOf('['.repeat(1_000_000)), /deeper than 64/);
  });

  it('takes a string of a megabyte', () => {
    const text = JSON.stringify('"\\é'.repeat(200_000));
    assert.deepEqual(parseJson(text), { ok: true, value: JSON.parse(text) });
  });

  it('agrees with JSON.parse about every text', () => {
    const texts = fc
      .tuple(
        fc.json({ maxDepth: 4 }),
        fc.array(
          fc.tuple(
            fc.nat(),
            fc.constantFrom(
              '',
              ',',
              '"',
              '}',
              ']',
              ':',
              '\\',
              '1',
              '-',
              '.',
              'e',
              ' ',
              '\u0001',
              'null',
            ),
          ),
          { maxLength: 2 },
        ),
      )
      .map(([json, edits]) =>
        edits.reduce((text, [place, replacement]) => {
          const at = place % (text.length + 1);
          return text.slice(0, at) + replacement + text.slice(at + (place % 2));
        }, json),
      );
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = parseJson(text);
        const isTwice =
          !parsed.ok && parsed.mistakes.every((mistake) => mistake.text === 'appears twice');
        assert.equal(parsed.ok || isTwice, parsesNatively(text));
      }),
      { numRuns: 3_000 },
    );
  });
});
