import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ServerEvent, SseParser } from '../../../src/admin/page/sse-parser.js';

const TEXT =
  'retry: 1000\nevent: hello\ndata: {"a": 1}\n\nevent: turn\nid: 7:1,8:2\ndata: x: y\n\n: ping\n\n';

describe('the parser of the stream', () => {
  it('reads the same events wherever the text is cut', () => {
    const wanted = [
      { type: 'hello', id: '', data: '{"a": 1}' },
      { type: 'turn', id: '7:1,8:2', data: 'x: y' },
    ];
    for (let size = 1; size <= TEXT.length; size++) {
      const events: ServerEvent[] = [];
      const parser = new SseParser((event) => events.push(event));
      for (let at = 0; at < TEXT.length; at += size) parser.push(TEXT.slice(at, at + size));
      assert.deepEqual(events, wanted);
    }
  });
});
