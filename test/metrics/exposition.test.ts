import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ServerError } from '../../src/errors.ts';
import { parseExposition } from '../../src/metrics/exposition.ts';

function assertRefused(text: string): void {
  assert.throws(
    () => parseExposition(text),
    (error: unknown) => error instanceof ServerError && error.code === 'INTERNAL',
    `accepted ${JSON.stringify(text)}`,
  );
}

const HISTOGRAM = [
  '# HELP wait_seconds Time, in \\\\ and \\n.',
  '# TYPE wait_seconds histogram',
  'wait_seconds_bucket{le="0.1",plugin="a b{c}=\\"d\\",\\\\"} 1',
  'wait_seconds_bucket{le="+Inf",plugin="x"} 2 1700000000000',
  'wait_seconds_sum 1.5e-05',
  'wait_seconds_count 2',
  '',
].join('\n');

describe('parseExposition', () => {
  it('puts the buckets, sum and count of a histogram into its family, as they are', () => {
    const [family, ...others] = parseExposition(HISTOGRAM);
    assert.deepEqual(others, []);
    assert.equal(family?.name, 'wait_seconds');
    assert.equal(family.help, 'Time, in \\\\ and \\n.');
    assert.equal(family.type, 'histogram');
    assert.equal(family.samples.join(''), HISTOGRAM.split('\n').slice(2).join('\n'));
  });

  it('gathers a family whose samples do not stand together', () => {
    const families = parseExposition('# TYPE a gauge\na 1\nb 2\n\n# any comment\na{x="y"} 3\n');
    assert.deepEqual(
      families.map(({ name, samples }) => [name, samples.join('')]),
      [
        ['a', 'a 1\na{x="y"} 3\n'],
        ['b', 'b 2\n'],
      ],
    );
  });

  it('takes x_count for a family of its own when x is no histogram or summary', () => {
    const families = parseExposition('# TYPE x gauge\nx 1\nx_count 2\n');
    assert.deepEqual(
      families.map(({ name }) => name),
      ['x', 'x_count'],
    );
  });

  it('accepts every kind of number that prom-client writes', () => {
    const lines = ['1', '-1', '0.5', '1e-7', '1.5E+21', '+Inf', '-Inf', 'NaN', 'Nan'];
    const text = lines.map((value) => `a ${value}\n`).join('');
    assert.equal(parseExposition(text)[0]?.samples.join(''), text);
  });

  it('says that an empty text has no family', () => {
    assert.deepEqual(parseExposition(''), []);
  });

  for (const text of [
    'garbage\n',
    '<html><body>no</body></html>\n',
    'a\n',
    'a x\n',
    'a 1 2 3\n',
    '{x="y"} 1\n',
    '1a 1\n',
    'a{x=y} 1\n',
    'a{x="y} 1\n',
    'a{x="\\q"} 1\n',
    'a{x="y" z="w"} 1\n',
    'a{,} 1\n',
    'a 1\r\n',
    '\0\n',
    '# TYPE a\n',
    '# TYPE a nonsense\n',
    '# TYPE a gauge\n# TYPE a counter\n',
    '# HELP\n',
    '# HELP 1a text\n',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assertRefused(`ok 1\n${text}ok 2\n`));
  }

  it('refuses every text that was cut within a line', () => {
    for (let length = 1; length < HISTOGRAM.length; length++) {
      const cut = HISTOGRAM.slice(0, length);
      if (!cut.endsWith('\n')) assertRefused(cut);
    }
  });

  it('names the line and shows its beginning only', () => {
    const long = 'x'.repeat(1000);
    assert.throws(
      () => parseExposition(`a 1\nb 2\n${long}\n`),
      (error: unknown) => {
        assert.ok(error instanceof ServerError);
        assert.deepEqual(error.details, { line: 3, text: 'x'.repeat(100) });
        return true;
      },
    );
  });

  it('refuses a hostile line of megabytes in little time', () => {
    const before = performance.now();
    assertRefused(`a{x="${'\\\\'.repeat(8_000_000)}\n`);
    assertRefused(`a{${'x="",'.repeat(3_000_000)}\n`);
    assert.ok(performance.now() - before < 5000);
  });

  it('answers any text with families or with a ServerError', () => {
    const piece = fc.constantFrom(
      'a',
      '_sum',
      '{',
      '}',
      '"',
      '\\',
      '=',
      ',',
      ' ',
      '\n',
      '1',
      '# TYPE ',
      '# HELP ',
      'histogram',
      '#',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(text, (input) => {
        try {
          parseExposition(input);
        } catch (error) {
          assert.ok(error instanceof ServerError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
