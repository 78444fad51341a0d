import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERROR_CODES, ERRORS, ServerError } from '../src/errors.ts';

describe('the table of errors', () => {
  it('is in capitals, each code with a summary that ends without a stop', () => {
    for (const code of ERROR_CODES) {
      assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
      assert.match(ERRORS[code].summary, /^[A-Z].*[^.]$/);
    }
  });

  it('calls retryable what the server could not take, and what the client gave up', () => {
    const retryable = ERROR_CODES.filter((code) => ERRORS[code].retryable);
    const expected = ERROR_CODES.filter(
      (code) => ERRORS[code].kind === 'capacity' || code === 'CLIENT_CLOSED',
    );
    assert.deepEqual(retryable, expected);
  });
});

describe('ServerError', () => {
  it('carries code, message, cause and details', () => {
    const cause = new Error('below');
    const error = new ServerError('PLUGIN_LIMIT', 'too much', { cause, details: { limit: 1 } });
    assert.ok(error instanceof Error);
    assert.equal(error.name, 'ServerError');
    assert.equal(error.code, 'PLUGIN_LIMIT');
    assert.equal(error.message, 'too much');
    assert.equal(error.cause, cause);
    assert.deepEqual(error.details, { limit: 1 });
  });

  it('has no cause and empty details when none are given', () => {
    const error = new ServerError('INTERNAL', '');
    assert.equal('cause' in error, false);
    assert.deepEqual(error.details, {});
  });

  it('is the operator’s mistake exactly for the kind configuration', () => {
    for (const code of ERROR_CODES) {
      const { isOperatorMistake } = new ServerError(code, '');
      assert.equal(isOperatorMistake, ERRORS[code].kind === 'configuration', code);
    }
  });

  it('is made from anything that was thrown, and left alone when it is one already', () => {
    const own = new ServerError('PLUGIN_ERROR', 'x');
    assert.equal(ServerError.from(own, 'INTERNAL'), own);
    const symbol = Symbol('exit');
    const thrown: [thrown: unknown, message: string][] = [
      [new TypeError('broken'), 'broken'],
      ['text', 'text'],
      [undefined, 'undefined'],
      [null, 'null'],
      [symbol, 'Symbol(exit)'],
      [42, '42'],
    ];
    for (const [value, message] of thrown) {
      const error = ServerError.from(value);
      assert.equal(error.code, 'INTERNAL');
      assert.equal(error.message, message);
      if (value !== undefined) assert.equal(error.cause, value);
    }
    assert.equal(ServerError.from('x', 'PLUGIN_TRAPPED').code, 'PLUGIN_TRAPPED');
  });
});
