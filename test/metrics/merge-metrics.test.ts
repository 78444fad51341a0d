import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseExposition } from '../../src/metrics/exposition.ts';
import { mergeMetrics } from '../../src/metrics/merge-metrics.ts';

function merge(...texts: string[]): ReturnType<typeof mergeMetrics> {
  return mergeMetrics(texts.map(parseExposition));
}

function samplesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

const TYPES: Readonly<Record<string, string>> = {
  alpha: 'counter',
  beta: 'gauge',
  gamma: 'histogram',
  delta: 'untyped',
};

const labelValue = fc
  .string({ unit: 'binary' })
  .map((text) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n'));

/** One family as a process would write it. */
const family = fc
  .record({
    name: fc.constantFrom(...Object.keys(TYPES)),
    help: fc.option(fc.constantFrom('one text', 'another text', '')),
    isTyped: fc.boolean(),
    samples: fc.array(fc.tuple(fc.option(labelValue), fc.double()), { maxLength: 4 }),
  })
  .map(({ name, help, isTyped, samples }) => {
    const type = TYPES[name] as string;
    const suffixes = isTyped && type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    const lines = samples.map(([label, value], index) => {
      const labels = label === null ? '' : `{worker="${label}"}`;
      const number = String(value).replace('Infinity', 'Inf');
      return `${name}${suffixes[index % suffixes.length]}${labels} ${number}\n`;
    });
    const helpLine = help === null ? '' : `# HELP ${name} ${help}\n`;
    return {
      name,
      text: `${helpLine}${isTyped ? `# TYPE ${name} ${type}\n` : ''}${lines.join('')}\n`,
    };
  });

const source = fc
  .uniqueArray(family, { selector: ({ name }) => name })
  .map((families) => families.map(({ text }) => text).join(''));

describe('mergeMetrics', () => {
  it('says HELP and TYPE once and keeps the samples of a family together', () => {
    const one =
      '# HELP a first\n# TYPE a gauge\na{worker="0"} 1\n\n# TYPE b gauge\nb{worker="0"} 2\n';
    const two =
      '# TYPE b gauge\nb{worker="1"} 3\n\n# HELP a second\n# TYPE a gauge\na{worker="1"} 4\n';
    assert.equal(
      merge(one, two).text,
      '# HELP a first\n# TYPE a gauge\na{worker="0"} 1\na{worker="1"} 4\n\n# TYPE b gauge\nb{worker="0"} 2\nb{worker="1"} 3\n',
    );
  });

  it('sums nothing', () => {
    const text = '# TYPE a counter\na{worker="0"} 5\n';
    assert.deepEqual(samplesOf(merge(text, text.replace('"0"', '"1"')).text), [
      'a{worker="0"} 5',
      'a{worker="1"} 5',
    ]);
  });

  it('keeps the parts of each histogram in order', () => {
    const text = (worker: number): string =>
      `# TYPE h histogram\nh_bucket{le="1",worker="${worker}"} 1\nh_bucket{le="+Inf",worker="${worker}"} 1\nh_sum{worker="${worker}"} 1\nh_count{worker="${worker}"} 1\n`;
    const merged = merge(text(0), text(1));
    assert.equal(merged.text, text(0) + text(1).replace('# TYPE h histogram\n', ''));
  });

  it('leaves out a family of another type than the first source has, and names it', () => {
    const merged = merge('# TYPE a gauge\na 1\n', '# TYPE a counter\na 2\n\n# TYPE b gauge\nb 3\n');
    assert.deepEqual(merged.conflicts, ['a']);
    assert.deepEqual(samplesOf(merged.text), ['a 1', 'b 3']);
  });

  it('gives back the union of all samples, one family each, whatever the sources hold', () => {
    fc.assert(
      fc.property(fc.array(source, { maxLength: 5 }), (texts) => {
        const { text, conflicts } = merge(...texts);
        assert.deepEqual(conflicts, []);
        assert.deepEqual(samplesOf(text).sort(), texts.flatMap(samplesOf).sort());
        const headers = text.split('\n').filter((line) => line.startsWith('# TYPE'));
        assert.equal(new Set(headers).size, headers.length);
        const again = parseExposition(text);
        assert.ok(again.every(({ samples }) => samples.length <= 1));
        assert.equal(mergeMetrics([again]).text, text);
      }),
      { numRuns: 500 },
    );
  });
});
