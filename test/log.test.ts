import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createLogger, type LogLevel } from '../src/log.ts';

/** What a logger writes while `use` runs, one object a line. */
function linesOf(
  context: TestContext,
  level: LogLevel,
  use: (log: ReturnType<typeof createLogger>) => void,
): Record<string, unknown>[] {
  const chunks: string[] = [];
  const write = context.mock.method(process.stdout, 'write', (chunk: string) => {
    chunks.push(chunk);
    return true;
  });
  try {
    use(createLogger(level, { worker: '3', pid: 1 }));
  } finally {
    write.mock.restore();
  }
  return chunks
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('createLogger', () => {
  it('writes one JSON line an event through process.stdout, with its fields and an ISO time', (context) => {
    const [line, ...rest] = linesOf(context, 'info', (log) => log.info({ a: 'x\ny' }, 'began'));
    assert.deepEqual(rest, []);
    const { time, ...fields } = line ?? {};
    assert.deepEqual(fields, { level: 30, worker: '3', pid: 1, a: 'x\ny', msg: 'began' });
    assert.equal(new Date(String(time)).toISOString(), time);
  });

  it('leaves out what is below its level, and everything when silent', (context) => {
    const all = (log: ReturnType<typeof createLogger>): void => {
      for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const)
        log[level]('');
    };
    assert.deepEqual(
      linesOf(context, 'warn', all).map(({ level }) => level),
      [40, 50, 60],
    );
    assert.equal(linesOf(context, 'trace', all).length, 6);
    assert.deepEqual(linesOf(context, 'silent', all), []);
  });

  it('has no field of its own but those given: no host name', (context) => {
    const [line] = linesOf(context, 'info', (log) => log.info('x'));
    assert.equal('hostname' in (line ?? {}), false);
  });

  it('writes an error with its stack', (context) => {
    const [line] = linesOf(context, 'info', (log) => log.error({ err: new Error('planted') }, 'x'));
    assert.match(JSON.stringify(line?.err), /planted/);
  });
});
