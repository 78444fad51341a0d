import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  HostPatterns,
  hostOf,
  hostPatternProblem,
} from '../../../src/plugin/guest-http/host-patterns.ts';

describe('HostPatterns', () => {
  for (const [pattern, matching, others] of [
    ['example.com', ['example.com'], ['www.example.com', 'example.com.', 'xexample.com', '']],
    ['EXAMPLE.com', ['example.com'], ['example.co']],
    ['*.example.com', ['a.example.com', 'a.b.example.com', '.example.com'], ['example.com']],
    ['*example.com', ['example.com', 'badexample.com'], ['example.com.evil.test']],
    ['*', ['anything.test', '::1', '10.0.0.1'], []],
    ['**.example.com', ['a.b.example.com'], ['example.com']],
    ['api.*.test', ['api.eu.test', 'api..test', 'api.a.b.test'], ['api.test', 'xapi.a.test']],
    ['a*b*c', ['abc', 'aXbYc', 'abbcc', 'abcbc'], ['acb', 'ab', 'abcd']],
    ['host?.test', ['host1.test'], ['host.test', 'host12.test']],
    ['host[0-3a].test', ['host0.test', 'host3.test', 'hosta.test'], ['host4.test', 'host-.test']],
    ['host[!0-3].test', ['host4.test', 'hostx.test'], ['host1.test', 'host.test']],
    ['[]a].test', ['].test', 'a.test'], ['b.test']],
    ['[::1]', ['::1'], ['1', ':']],
    ['0:0::1', ['::1'], ['::2']],
  ] as const) {
    it(`matches ${pattern} as Extism does`, () => {
      const patterns = new HostPatterns([pattern]);
      for (const host of matching) assert.equal(patterns.matches(host), true, host);
      for (const host of others) assert.equal(patterns.matches(host), false, host);
    });
  }

  it('matches nothing when empty', () => {
    assert.equal(new HostPatterns([]).matches('example.com'), false);
  });

  it('tells hosts that are named from those that a wildcard covers', () => {
    const patterns = new HostPatterns(['internal.test', '*', '127.0.0.1', 'h[o]st.test']);
    for (const host of ['internal.test', '127.0.0.1']) assert.ok(patterns.names(host), host);
    for (const host of ['other.test', '127.0.0.2', '*', 'host.test']) {
      assert.ok(!patterns.names(host), host);
    }
  });

  it('bounds the work that many stars make', () => {
    const pattern = `${'*a'.repeat(60)}*b`;
    assert.equal(new HostPatterns([pattern]).matches('a'.repeat(253)), false);
    assert.equal(new HostPatterns([pattern]).matches(`${'a'.repeat(252)}b`), true);
  });

  it('takes hosts from URLs in one form', () => {
    for (const [url, host] of [
      ['http://EXAMPLE.com:8080/x', 'example.com'],
      ['http://[0:0::1]:80/', '::1'],
      ['http://0x7f.1/', '127.0.0.1'],
      ['http://2130706433/', '127.0.0.1'],
      ['https://ex%61mple.com/', 'example.com'],
      ['https://bücher.test/', 'xn--bcher-kva.test'],
    ] as const) {
      assert.equal(hostOf(new URL(url)), host);
    }
  });
});

describe('hostPatternProblem', () => {
  it('lets through what can match', () => {
    for (const pattern of ['example.com', '*', 'a[b-c]?.test', '10.0.0.1', '::1', '[fe80::1]']) {
      assert.equal(hostPatternProblem(pattern), null, pattern);
    }
  });

  it('names what never could', () => {
    for (const pattern of [
      '',
      'example.com:8080',
      'https://example.com',
      'example.com/path',
      'user@example.com',
      'a b',
      '{a,b}.test',
      'bücher.test',
      'host[0-9',
      'fe80::1%eth0',
    ]) {
      assert.notEqual(hostPatternProblem(pattern), null, pattern);
    }
  });
});
