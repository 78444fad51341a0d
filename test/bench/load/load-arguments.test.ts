import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseLoadArguments } from '../../../bench/load/load-arguments.ts';

const URL_TEXT = 'http://127.0.0.1:1/';

describe('parseLoadArguments', () => {
  it('has a default for everything but the URL', () => {
    assert.deepEqual(parseLoadArguments([URL_TEXT]), {
      options: {
        url: URL_TEXT,
        method: 'POST',
        traffic: { kind: 'unique-hello' },
        connections: 50,
        threads: 1,
        pipelining: 1,
        keepAlive: true,
        rate: null,
        durationMs: 10_000,
        warmUpMs: 1000,
        requests: null,
        timeoutMs: 10_000,
      },
      tool: 'plugind-load',
      json: false,
      metricsPort: null,
      testid: 'manual',
      scenario: 'manual',
    });
  });

  it('reads the article’s line', () => {
    const line = '-n 300 -c 100 --body John --answer Hi --warm-up 0 --tool hey --no-keep-alive';
    const args = parseLoadArguments([URL_TEXT, ...line.split(' ')]);
    assert.equal(args?.tool, 'hey');
    const { requests, connections, traffic, warmUpMs, keepAlive } = args.options;
    assert.deepEqual([requests, connections, warmUpMs, keepAlive], [300, 100, 0, false]);
    assert.deepEqual(traffic, { kind: 'fixed', body: 'John', answer: 'Hi' });
  });

  it('asks the other tools for no warm-up', () => {
    const args = parseLoadArguments([URL_TEXT, '--tool', 'wrk', '--body', '', '--answer', '']);
    assert.equal(args?.options.warmUpMs, 0);
  });

  it('shows the help', () => assert.equal(parseLoadArguments(['-h']), null));

  for (const line of [
    '',
    'a b',
    `${URL_TEXT} --nonsense`,
    `${URL_TEXT} --traffic echo`,
    `${URL_TEXT} --traffic hello:8`,
    `${URL_TEXT} --traffic tea:8`,
    `${URL_TEXT} --body x`,
    `${URL_TEXT} --body x --answer y --traffic hello`,
    `${URL_TEXT} --tool ab`,
    `${URL_TEXT} --method PUT`,
    `${URL_TEXT} -c many`,
    `${URL_TEXT} -r -5`,
  ]) {
    it(`refuses ${line || 'nothing'}`, () => {
      const words = line.split(' ').filter((word) => word !== '');
      assert.throws(() => parseLoadArguments(words), TypeError);
    });
  }
});
