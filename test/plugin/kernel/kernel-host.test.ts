/** What guests get from the host through the kernel, and the bounds on each. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServerError } from '../../../src/errors.ts';
import { escapeUnprintable, logLevelNumber } from '../../../src/plugin/kernel/guest-log.ts';
import type { GuestHttpResponse } from '../../../src/plugin/kernel/http-host.ts';
import { createTestKernel, type TestKernel } from './linked.ts';

function tripCodes(test: TestKernel): unknown[] {
  return test.trips.map(({ code, details }) => [code, details.limit]);
}

describe('config_get', () => {
  it('gives values, and 0 for what is not there', () => {
    const test = createTestKernel({ config: { greeting: 'Grüß Gott', empty: '' } });
    test.begin();
    assert.equal(test.read(test.abi.config_get(test.text('greeting'))), 'Grüß Gott');
    assert.equal(test.abi.config_get(test.text('greetin')), 0n);
    assert.equal(test.abi.config_get(test.text('empty')), 0n);
  });

  it('does not reach Object.prototype', () => {
    const test = createTestKernel({ config: { key: 'value' } });
    test.begin();
    for (const key of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
      assert.equal(test.abi.config_get(test.text(key)), 0n, key);
    }
    assert.deepEqual(test.trips, []);
  });

  it('tells names apart by every byte', () => {
    const test = createTestKernel({ config: { '\ufeffkey': 'with mark', key: 'without' } });
    test.begin();
    assert.equal(test.read(test.abi.config_get(test.text('\ufeffkey'))), 'with mark');
    assert.equal(test.read(test.abi.config_get(test.text('key'))), 'without');
  });

  it('ends the call when the value does not fit into memory', () => {
    const test = createTestKernel({ config: { key: 'x'.repeat(70_000) }, maxHeapPages: 1 });
    test.begin();
    assert.equal(test.abi.config_get(test.text('key')), 0n);
    assert.deepEqual(tripCodes(test), [['PLUGIN_LIMIT', 'memory.maxPages']]);
  });
});

describe('vars', () => {
  it('survive calls, are replaced and deleted', () => {
    const test = createTestKernel();
    test.begin();
    assert.equal(test.abi.var_get(test.text('name')), 0n);
    test.abi.var_set(test.text('name'), test.text('one'));
    test.begin();
    assert.equal(test.read(test.abi.var_get(test.text('name'))), 'one');
    test.abi.var_set(test.text('name'), test.text('two!'));
    assert.equal(test.host.vars.bytes, 8);
    test.begin();
    assert.equal(test.read(test.abi.var_get(test.text('name'))), 'two!');
    test.abi.var_set(test.text('name'), 0n);
    test.abi.var_set(test.text('never there'), 0n);
    assert.equal(test.abi.var_get(test.text('name')), 0n);
    assert.equal(test.host.vars.bytes, 0);
  });

  it('are copies in both directions', () => {
    const test = createTestKernel();
    test.begin();
    const value = test.text('value');
    test.abi.var_set(test.text('name'), value);
    test.abi.store_u8(value, 0x58);
    const got = test.abi.var_get(test.text('name'));
    assert.equal(test.read(got), 'value');
    test.abi.store_u8(got, 0x58);
    assert.equal(test.read(test.abi.var_get(test.text('name'))), 'value');
  });

  it('end the call when values are too many bytes, and keep what was there', () => {
    const test = createTestKernel({ vars: { maxBytes: 100, maxCount: 100 } });
    test.begin();
    test.abi.var_set(test.text('name'), test.text('x'.repeat(96)));
    test.abi.var_set(test.text('name'), test.text('y'.repeat(97)));
    assert.deepEqual(tripCodes(test), [['PLUGIN_LIMIT', 'memory.maxVarBytes']]);
    assert.equal(test.abi.var_get(test.text('name')), 0n, 'a call that is ending gets nothing');
    test.begin();
    assert.equal(test.read(test.abi.var_get(test.text('name'))), 'x'.repeat(96));
  });

  it('count names as bytes too', () => {
    const test = createTestKernel({ vars: { maxBytes: 100, maxCount: 100 } });
    test.begin();
    test.abi.var_set(test.text('ü'.repeat(49)), test.text('12'));
    assert.equal(test.host.vars.bytes, 100);
    test.abi.var_set(test.text('n'), test.text('1'));
    assert.deepEqual(tripCodes(test), [['PLUGIN_LIMIT', 'memory.maxVarBytes']]);
  });

  it('take no name that alone is over the limit', () => {
    const test = createTestKernel({ maxHeapPages: 600 });
    test.begin();
    const name = test.abi.alloc(20n << 20n);
    assert.equal(test.abi.var_get(name), 0n);
    test.abi.var_set(name, test.text('1'));
    assert.deepEqual(tripCodes(test), [['PLUGIN_LIMIT', 'memory.maxVarBytes']]);
    assert.equal(test.host.vars.bytes, 0);
  });

  it('are bounded in number', () => {
    const test = createTestKernel({ vars: { maxBytes: 100_000, maxCount: 3 } });
    test.begin();
    for (const name of ['a', 'b', 'c', 'a', 'd']) test.abi.var_set(test.text(name), test.text('1'));
    assert.deepEqual(tripCodes(test), [['PLUGIN_LIMIT', 'maxVars']]);
    test.begin();
    test.abi.var_set(test.text('a'), 0n);
    test.abi.var_set(test.text('d'), test.text('1'));
    assert.equal(test.trips.length, 1);
  });

  it('are none at all with a limit of 0', () => {
    const test = createTestKernel({ vars: { maxBytes: 0, maxCount: 10 } });
    test.begin();
    test.abi.var_set(test.text('a'), test.text('1'));
    assert.deepEqual(tripCodes(test), [['PLUGIN_LIMIT', 'memory.maxVarBytes']]);
  });

  it('are emptied by clear', () => {
    const test = createTestKernel();
    test.begin();
    test.abi.var_set(test.text('a'), test.text('1'));
    test.host.vars.clear();
    assert.equal(test.abi.var_get(test.text('a')), 0n);
    assert.equal(test.host.vars.bytes, 0);
  });
});

describe('log', () => {
  it('passes lines at or above the level, with their level', () => {
    const test = createTestKernel();
    test.kernel.logLevel = logLevelNumber('info');
    test.begin();
    assert.equal(test.abi.get_log_level(), 2);
    test.abi.log_trace(test.text('t'));
    test.abi.log_debug(test.text('d'));
    test.abi.log_info(test.text('i'));
    test.abi.log_warn(test.text('w'));
    test.abi.log_error(test.text('e'));
    assert.deepEqual(
      test.lines.map(({ level, message }) => [level, message]),
      [
        ['info', 'i'],
        ['warn', 'w'],
        ['error', 'e'],
      ],
    );
  });

  it('passes nothing while silent, which is how it starts', () => {
    const test = createTestKernel();
    test.begin();
    assert.equal(test.abi.get_log_level(), 0x7fff_ffff);
    test.abi.log_error(test.text('e'));
    test.kernel.logLevel = logLevelNumber('trace');
    test.abi.log_error(test.text('f'));
    assert.equal(test.lines.length, 1);
  });

  it('makes one printable line of whatever was written', () => {
    const test = createTestKernel();
    test.kernel.logLevel = 0;
    test.begin();
    test.abi.log_info(test.text('a\nb\r\tc\u001b[31m\u0000\u007f\u0085\u2028\u202e👩‍💻é'));
    assert.equal(
      test.lines[0]?.message,
      'a\\nb\\r\\tc\\u001b[31m\\u0000\\u007f\\u0085\\u2028\\u202e👩‍💻é',
    );
    assert.equal(escapeUnprintable('plain'), 'plain');
  });

  it('cuts long lines between characters and says how much is gone', () => {
    const test = createTestKernel({ log: { maxLines: 5, maxLineBytes: 10 } });
    test.kernel.logLevel = 0;
    test.begin();
    test.abi.log_info(test.text(`123456789😄${'x'.repeat(1000)}`));
    test.abi.log_info(test.text('1234567890'));
    assert.deepEqual(
      test.lines.map(({ message, truncatedBytes }) => [message, truncatedBytes]),
      [
        ['123456789', 1003],
        ['1234567890', 0],
      ],
    );
  });

  it('ends the call at a line too many; the next call may log again', () => {
    const test = createTestKernel({ log: { maxLines: 3, maxLineBytes: 10 } });
    test.kernel.logLevel = 0;
    for (let call = 0; call < 2; call++) {
      test.begin();
      for (let i = 0; i < 50; i++) test.abi.log_info(test.text('line'));
    }
    assert.equal(test.lines.length, 6);
    assert.deepEqual(tripCodes(test), [
      ['PLUGIN_LIMIT', 'maxLogLines'],
      ['PLUGIN_LIMIT', 'maxLogLines'],
    ]);
  });
});

describe('http_request', () => {
  const response: GuestHttpResponse = {
    status: 201,
    headers: { 'content-type': 'text/plain' },
    body: Buffer.from('created'),
  };

  it('gives body, status and headers, of this call only', () => {
    const asked: unknown[] = [];
    const test = createTestKernel({
      http: {
        kind: 'blocking',
        request: (request, body) => {
          asked.push([Buffer.from(request).toString(), body && Buffer.from(body).toString()]);
          return response;
        },
      },
    });
    test.begin();
    assert.equal(test.abi.http_status_code(), 0);
    assert.equal(test.abi.http_headers(), 0n);
    const body = test.abi.http_request(test.text('{"url":"u"}'), test.text('content'));
    assert.equal(test.read(body), 'created');
    assert.equal(test.abi.http_status_code(), 201);
    assert.equal(test.read(test.abi.http_headers()), '{"content-type":"text/plain"}');
    test.abi.http_request(test.text('{}'), 0n);
    assert.deepEqual(asked, [
      ['{"url":"u"}', 'content'],
      ['{}', null],
    ]);
    test.begin();
    assert.equal(test.abi.http_status_code(), 0);
    assert.equal(test.abi.http_headers(), 0n);
  });

  it('is refused with a log line where there are no allowed hosts', () => {
    const test = createTestKernel({ log: { maxLines: 2, maxLineBytes: 100 } });
    test.kernel.logLevel = 0;
    test.begin();
    assert.equal(test.abi.http_request(test.text('{}'), 0n), 0n);
    assert.deepEqual(
      test.lines.map(({ level }) => level),
      ['error'],
    );
    test.abi.http_request(test.text('{}'), 0n);
    test.abi.http_request(test.text('{}'), 0n);
    assert.equal(test.lines.length, 2);
    assert.deepEqual(tripCodes(test), [['PLUGIN_LIMIT', 'maxLogLines']]);
  });

  it('ends the call with the error that the request threw', () => {
    const test = createTestKernel({
      http: {
        kind: 'blocking',
        request: () => {
          throw new ServerError('PLUGIN_LIMIT', 'too long');
        },
      },
    });
    test.begin();
    assert.equal(test.abi.http_request(test.text('{}'), 0n), 0n);
    assert.equal(test.host.tripped?.code, 'PLUGIN_LIMIT');
  });

  it('ends the call when the body does not fit into memory', () => {
    const large = { status: 200, headers: null, body: new Uint8Array(70_000) };
    const test = createTestKernel({
      maxHeapPages: 1,
      http: { kind: 'blocking', request: () => large },
    });
    test.begin();
    assert.equal(test.abi.http_request(test.text('{}'), 0n), 0n);
    assert.deepEqual(tripCodes(test), [['PLUGIN_LIMIT', 'memory.maxPages']]);
  });
});

describe('host functions', () => {
  it('never throw into the guest, whatever fails behind them', () => {
    const test = createTestKernel({
      logSink: () => {
        throw new Error('disk full');
      },
    });
    test.kernel.logLevel = 0;
    test.begin();
    test.abi.log_info(test.text('line'));
    assert.equal(test.host.tripped?.code, 'INTERNAL');
    assert.equal(test.trips.length, 1);
    test.abi.log_info(test.text('line'));
    assert.equal(test.trips.length, 1);
    test.begin();
    assert.equal(test.host.tripped, null);
  });

  it('look at the deadline each time', () => {
    let looked = 0;
    const test = createTestKernel({
      config: { key: 'value' },
      remainingMs: () => 1000,
      checkDeadline: () => {
        looked++;
      },
    });
    test.kernel.logLevel = 0;
    test.begin();
    test.abi.config_get(test.text('key'));
    test.abi.var_get(test.text('key'));
    test.abi.var_set(test.text('key'), test.text('value'));
    test.abi.http_request(test.text('{}'), 0n);
    test.abi.http_headers();
    test.abi.log_info(test.text('line'));
    test.abi.alloc(1n << 40n);
    assert.equal(looked, 7);
  });

  it('do nothing in a call that is over, though they did not end it themselves', () => {
    let isOver = false;
    const test = createTestKernel({ config: { key: 'value' }, isOver: () => isOver });
    test.kernel.logLevel = 0;
    test.begin();
    const key = test.text('key');
    isOver = true;
    assert.equal(test.abi.config_get(key), 0n);
    test.abi.var_set(key, key);
    assert.equal(test.host.vars.bytes, 0);
    test.abi.log_info(key);
    assert.deepEqual(test.lines, []);
    isOver = false;
    assert.notEqual(test.abi.config_get(key), 0n);
  });

  it('wait for what takes its time in a call without a deadline', async () => {
    const test = createTestKernel({ remainingMs: () => Number.POSITIVE_INFINITY });
    test.begin();
    let finish: (value: number) => void = () => {};
    const answer = test.host.runSuspended(
      0,
      () =>
        new Promise<number>((resolve) => {
          finish = resolve;
        }),
    );
    // A later timer, so whatever was to end the wait within 1 ms has done so.
    setTimeout(() => finish(7), 20);
    assert.equal(await answer, 7);
  });

  it('end the call of a guest that goes on allocating past the limit', () => {
    const test = createTestKernel({ maxHeapPages: 1, maxRefusedAllocations: 4 });
    test.begin();
    for (let i = 0; i < 4; i++) assert.equal(test.abi.alloc(100_000n), 0n);
    assert.deepEqual(test.trips, []);
    test.abi.alloc(100_000n);
    assert.deepEqual(tripCodes(test), [['PLUGIN_LIMIT', 'memory.maxPages']]);
    assert.equal(test.kernel.refusedAllocations, 5);
  });
});
