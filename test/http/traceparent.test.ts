import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServerError } from '../../src/errors.ts';
import { traceFields } from '../../src/http/traceparent.ts';
import type { ServedPlugin } from '../../src/plugin/served-plugin.ts';
import { exampleWasm } from '../helpers/paths.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { startPublicServer } from './fixture.ts';
import { WireClient } from './wire-client.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const VALID = `00-${TRACE}-${SPAN}-01`;
const FIELDS = { trace_id: TRACE, span_id: SPAN, trace_flags: '01' };

describe('traceFields', () => {
  for (const [name, header, fields] of [
    ['version 00', VALID, FIELDS],
    ['one that is not sampled', `00-${TRACE}-${SPAN}-00`, { ...FIELDS, trace_flags: '00' }],
    ['a later version', `cc-${TRACE}-${SPAN}-01`, FIELDS],
    ['a later version that says more', `cc-${TRACE}-${SPAN}-01-what-the-future-holds`, FIELDS],
  ] as const) {
    it(`takes ${name}`, () => assert.deepEqual(traceFields(header), fields));
  }

  for (const [name, header] of [
    ['none', undefined],
    ['several', [VALID, VALID]],
    ['two in one line', `${VALID}, ${VALID}`],
    ['an empty one', ''],
    ['version ff', `ff-${TRACE}-${SPAN}-01`],
    ['version 00 that says more', `${VALID}-more`],
    ['a later version that runs on', `cc-${TRACE}-${SPAN}-012`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['capitals', VALID.toUpperCase()],
    ['a short trace', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['a long trace', `00-${TRACE}0-${SPAN}-01`],
    ['a short span', `00-${TRACE}-${SPAN.slice(1)}-01`],
    ['short flags', `00-${TRACE}-${SPAN}-1`],
    ['no flags', `00-${TRACE}-${SPAN}`],
    ['a short version', `0-${TRACE}-${SPAN}-01`],
    ['what is not hexadecimal', `00-${TRACE.replace('4', 'g')}-${SPAN}-01`],
    ['other text', 'x'.repeat(55)],
  ] as const) {
    it(`ignores ${name}`, () => {
      assert.deepEqual(traceFields(header as string | string[] | undefined), {});
    });
  }
});

describe('a request with traceparent', () => {
  const file = {
    plugins: { echo: { wasm: exampleWasm('echo') } },
    routes: [{ path: '/', plugin: 'echo', function: 'echo' }],
  };
  const request = (header: string): string =>
    `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n${header}\r\nx`;

  it('has its trace in its record, and one with a broken header has none', async () => {
    const server = await startPublicServer(file);
    try {
      const client = await WireClient.connect(server.port);
      client.send(request(`TraceParent: ${VALID}\r\n`));
      client.send(request(`traceparent: ${VALID.replace('00', 'ff')}\r\n`));
      client.send(request(`traceparent: ${VALID}\r\ntraceparent: ${VALID}\r\n`));
      client.send(request(''));
      await client.answers(4);
      const [traced, ...others] = server.records;
      const { requestId, durationMs, ...rest } = traced ?? assert.fail('no record');
      assert.match(requestId, /^test-/);
      assert.ok(durationMs > 0);
      assert.deepEqual(rest, { ...FIELDS, method: 'POST', route: '/', status: 200 });
      for (const other of others) {
        assert.deepEqual(Object.keys(other).sort(), [
          'durationMs',
          'method',
          'requestId',
          'route',
          'status',
        ]);
      }
      client.destroy();
    } finally {
      await server.close();
    }
  });

  it('is named with its trace when it fails inside', async (t) => {
    const told: unknown[] = [];
    const server = await startPublicServer(file, {
      onInternalError: ({ code, message }, { requestId, ...trace }) =>
        told.push([code, message, requestId.startsWith('test-'), trace]),
    });
    const call: ServedPlugin['call'] = (_name, _input, listener) => {
      listener.failed(new ServerError('INTERNAL', 'planted'));
      return { cancel: () => false };
    };
    t.mock.method(server.plugin('echo'), 'call', call);
    try {
      const client = await WireClient.connect(server.port);
      client.send(request(`traceparent: ${VALID}\r\n`));
      const [reply] = await client.answers(1);
      assert.equal(reply?.status, 500);
      assert.ok(!reply.body.includes('planted'));
      await waitFor('the error to be told', () => told.length > 0);
      assert.deepEqual(told, [['INTERNAL', 'planted', true, FIELDS]]);
      client.destroy();
    } finally {
      await server.close();
    }
  });

  it('is not read where no line is written', async () => {
    const server = await startPublicServer(file, { logRequest: null });
    let reads = 0;
    server.app.server.prependListener('request', ({ headers }) => {
      const { traceparent } = headers;
      Object.defineProperty(headers, 'traceparent', {
        get: () => {
          reads++;
          return traceparent;
        },
      });
    });
    try {
      const client = await WireClient.connect(server.port);
      client.send(request(`traceparent: ${VALID}\r\n`));
      assert.equal((await client.answers(1))[0]?.status, 200);
      assert.equal(reads, 0);
      client.destroy();
    } finally {
      await server.close();
    }
  });
});
