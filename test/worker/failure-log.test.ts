import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServerError } from '../../src/errors.ts';
import type { PluginFailure } from '../../src/http/reply-writer.ts';
import { createFailureLog } from '../../src/worker/failure-log.ts';

function setUp() {
  const lines: [level: string, fields: object, message: string][] = [];
  const log = {
    warn: (fields: object, message: string) => void lines.push(['warn', fields, message]),
    debug: (fields: object, message: string) => void lines.push(['debug', fields, message]),
  };
  const clock = { now: 0 };
  const tell = createFailureLog(
    log as unknown as Parameters<typeof createFailureLog>[0],
    () => clock.now,
  );
  const fail = (changes: Partial<PluginFailure> = {}): void =>
    tell({
      ...{ plugin: 'p', function: 'f', requestId: 'r-1' },
      error: new ServerError('PLUGIN_TRAPPED', 'unreachable'),
      ...changes,
    });
  return { lines, clock, fail };
}

describe('the log of failed calls', () => {
  it('names plugin, function, code, request and what happened', () => {
    const { lines, fail } = setUp();
    fail({ trace_id: 't' });
    const fields = { plugin: 'p', function: 'f', requestId: 'r-1', trace_id: 't' };
    assert.deepEqual(lines, [
      ['warn', { ...fields, code: 'PLUGIN_TRAPPED' }, 'call failed: unreachable'],
    ]);
  });

  it('has one line a second for each plugin and code, which says how many it stands for', () => {
    const { lines, clock, fail } = setUp();
    for (let count = 0; count < 5; count++) fail();
    fail({ plugin: 'other' });
    fail({ error: new ServerError('CALL_DEADLINE', 'late') });
    assert.equal(lines.length, 3);
    clock.now = 1000;
    fail();
    clock.now = 2000;
    fail();
    const fields = { plugin: 'p', function: 'f', requestId: 'r-1', code: 'PLUGIN_TRAPPED' };
    assert.deepEqual(
      lines.slice(3).map(([, told]) => told),
      [{ ...fields, alsoSince: 4 }, fields],
    );
  });

  it('tells of errors that a plugin reports only where debug lines are asked for', () => {
    const { lines, fail } = setUp();
    fail({ error: new ServerError('PLUGIN_ERROR', 'no such user') });
    assert.deepEqual(
      lines.map(([level]) => level),
      ['debug'],
    );
  });
});
