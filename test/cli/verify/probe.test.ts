import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createProbeSet } from '../../../src/cli/verify/probe.ts';

const reply = (body: string, status = 200) => ({ status, body, isLast: false });

describe('a probe', () => {
  const probes = createProbeSet(new URL('http://h:1/p?q=1'), 'POST');

  it('is right with its own id alone, as often as it likes and whatever is around it', () => {
    const id = probes.id(7);
    for (const body of [id, `HELLO ${id}`, `{"a":"${id}","b":"${id}"}`]) {
      assert.equal(probes.judge(7, reply(body)), 'right', body);
    }
  });

  it("is wrong with another's id, beside its own or in an error, and without one", () => {
    for (const body of [probes.id(8), `${probes.id(7)} ${probes.id(8)}`, '', 'hello', '7']) {
      assert.equal(probes.judge(7, reply(body)), 'wrong', body);
    }
    assert.equal(probes.judge(7, reply(`bad input ${probes.id(8)}`, 500)), 'wrong');
  });

  it('is refused by another status, and failed without a reply', () => {
    assert.equal(probes.judge(7, reply('busy', 503)), 'refused');
    assert.equal(probes.judge(7, reply(`bad input ${probes.id(7)}`, 500)), 'refused');
    assert.equal(probes.judge(7, null), 'failed');
  });

  it('has ids of its own run', () => {
    const others = createProbeSet(new URL('http://h:1/'), 'POST');
    assert.deepEqual(probes.idsIn(others.id(7)), []);
    assert.deepEqual(probes.idsIn(probes.id(7)), [7]);
  });

  it('is sent as a body', () => {
    const text = probes.request(7);
    assert.match(text, /^POST \/p\?q=1 HTTP\/1\.1\r\nhost: h:1\r\n/);
    assert.ok(text.endsWith(`content-length: 18\r\n\r\n${probes.id(7)}`), text);
  });

  for (const [url, path] of [
    ['http://h/', '/?id=ID'],
    ['http://h/p?q=1', '/p?q=1&id=ID'],
    ['http://h/greet/{id}', '/greet/ID'],
    ['http://h/?name={id}&x={id}', '/?name=ID&x=ID'],
  ] as const) {
    it(`is sent without a body to ${url}`, () => {
      const gets = createProbeSet(new URL(url), 'GET');
      const wanted = `GET ${path.replaceAll('ID', gets.id(3))} HTTP/1.1\r\nhost: h\r\n\r\n`;
      assert.equal(gets.request(3), wanted);
    });
  }
});
