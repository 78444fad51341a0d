import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatProblem } from '../../src/config/problem.ts';
import { validateFile } from '../../src/config/validate-file.ts';
import { loadFile, minimalFile, pathsOf, problemsOf } from './fixture.ts';

function linesOf(file: unknown): readonly string[] {
  return validateFile(file).map(formatProblem).toSorted();
}

const ROUTE = { path: '/echo', plugin: 'echo', function: 'echo' };

function withPlugin(changes: Readonly<Record<string, unknown>>): unknown {
  return minimalFile({ plugins: { echo: { wasm: 'echo.wasm', ...changes } } });
}

function withRoute(changes: Readonly<Record<string, unknown>>): unknown {
  return minimalFile({ routes: [{ ...ROUTE, ...changes }] });
}

describe('validateFile', () => {
  it('accepts the smallest file and $schema', () => {
    assert.deepEqual(linesOf(minimalFile({ $schema: 'x' })), []);
  });

  it('says path, what is allowed, and the value', () => {
    assert.deepEqual(linesOf(withPlugin({ queue: { max: 0 } })), [
      'plugins.echo.queue.max: must be an integer from 1 to 1000000 (got 0)',
    ]);
    assert.deepEqual(linesOf(withRoute({ mode: 'htpp' })), [
      'routes[0].mode: must be "raw" or "http" (got "htpp")',
    ]);
    assert.deepEqual(linesOf(minimalFile({ workers: 'many' })), [
      'workers: must be "auto" or an integer from 1 to 1024 (got "many")',
    ]);
  });

  it('refuses unknown keys with their path and the key that was meant', () => {
    assert.deepEqual(linesOf(minimalFile({ listen: { prot: 1 }, plugin: {} })), [
      'listen.prot: unknown key; did you mean "port"?',
      'plugin: unknown key; did you mean "plugins"?',
    ]);
    assert.deepEqual(linesOf(minimalFile({ shutdown: { hurry: 1 } })), [
      'shutdown.hurry: unknown key; known here: delayMs, drainMs',
    ]);
    assert.deepEqual(pathsOf(withPlugin({ memory: { max: 1 }, 'a b': 1 })), [
      'plugins.echo.memory.max',
      'plugins.echo["a b"]',
    ]);
  });

  it('takes names of Object.prototype for what they are: unknown keys', () => {
    const file = JSON.parse('{"__proto__": 1, "constructor": 2, "plugins": {}, "routes": []}');
    assert.deepEqual(
      validateFile(file).map(({ path }) => path.join('.')),
      ['__proto__', 'constructor', 'plugins', 'routes'],
    );
  });

  it('reports every problem at once, also the rules that are broken beside them', () => {
    assert.deepEqual(
      pathsOf({
        listen: { port: -1 },
        watchdogMs: 1_000,
        plugins: {
          echo: {
            wasm: 5,
            wasi: 'no',
            queue: { max: 1.5, waitMs: '1', wait: 3 },
            isolation: 'pol',
          },
          other: { wasm: 'a', memory: { maxPages: 0 } },
        },
        routes: [
          { path: 'x', plugin: 'ecco', function: '' },
          { ...ROUTE, errorStatus: 200, errorBody: 'x', contentType: 'a\r\nb' },
          { ...ROUTE },
        ],
      }).toSorted(),
      [
        'listen.port',
        'plugins.echo.isolation',
        'plugins.echo.queue.max',
        'plugins.echo.queue.wait',
        'plugins.echo.queue.waitMs',
        'plugins.echo.timeoutMs',
        'plugins.echo.wasi',
        'plugins.echo.wasm',
        'plugins.other.memory.maxPages',
        'plugins.other.timeoutMs',
        'routes[0].function',
        'routes[0].path',
        'routes[0].plugin',
        'routes[1].contentType',
        'routes[1].errorBody',
        'routes[1].errorStatus',
        'routes[2].path',
      ],
    );
  });

  it('says nothing about rules whose values are wrong themselves', () => {
    assert.deepEqual(pathsOf(minimalFile({ watchdogMs: 'x', shutdown: { drainMs: 0 } })), [
      'shutdown.drainMs',
      'watchdogMs',
    ]);
    assert.deepEqual(pathsOf(minimalFile({ plugins: { echo: 5 } })), ['plugins.echo']);
    assert.deepEqual(pathsOf(minimalFile({ plugins: [] })), ['plugins']);
    assert.deepEqual(pathsOf(minimalFile({ routes: [5, ROUTE] })), ['routes[0]']);
  });

  it('reports hundreds of problems', () => {
    const routes = Array.from({ length: 60 }, () => ({}));
    assert.equal(linesOf(minimalFile({ routes })).length, 180);
    const lines = problemsOf(() => loadFile(minimalFile({ routes })));
    assert.equal(lines.length, 101);
    assert.equal(lines.at(-1), '… and 80 more problems');
  });

  it('refuses a file that is no object', () => {
    for (const file of [[], null, 5, '"x"', true]) {
      assert.deepEqual(
        validateFile(file).map(({ path }) => path),
        [[]],
      );
    }
    assert.equal(
      problemsOf(() => loadFile('[]'))[0],
      'plugind.json: must be an object (got a list)',
    );
  });

  it('requires plugins and routes, with something in them', () => {
    assert.deepEqual(pathsOf({}), ['plugins', 'routes']);
    assert.deepEqual(pathsOf({ plugins: {}, routes: [] }), ['plugins', 'routes']);
  });

  it('requires exactly one of wasm and manifest', () => {
    for (const [entry, found] of [
      [{}, 'neither'],
      [{ wasm: 'a', manifest: 'b' }, 'both'],
      [{ wasm: 'a', manifest: { wasm: [] } }, 'both'],
    ] as const) {
      assert.deepEqual(linesOf(minimalFile({ plugins: { echo: entry } })), [
        `plugins.echo.wasm: exactly one of "wasm" and "manifest" must be given (got ${found})`,
      ]);
    }
  });

  it("never shows a token or a plugin's configuration", () => {
    const secret = 'S3CRET';
    const lines = linesOf({
      admin: { token: `${secret} ${secret}` },
      plugins: { echo: { wasm: 'a', config: { key: [secret], other: { a: secret } } } },
      routes: { token: secret },
    });
    assert.equal(lines.length, 4);
    assert.ok(!lines.join().includes(secret), lines.join('\n'));
  });

  for (const [title, file, place] of [
    [
      'a plugin name that is no label',
      minimalFile({ plugins: { 'a b': { wasm: 'a' } } }),
      'plugins["a b"]',
    ],
    [
      'a plugin name that is too long',
      minimalFile({ plugins: { ['n'.repeat(65)]: { wasm: 'a' } } }),
      `plugins.${'n'.repeat(65)}`,
    ],
    ['an empty plugin name', minimalFile({ plugins: { '': { wasm: 'a' } } }), 'plugins[""]'],
    ['an empty wasm path', withPlugin({ wasm: '' }), 'plugins.echo.wasm'],
    ['a NUL in a path', withPlugin({ wasm: 'a\0b' }), 'plugins.echo.wasm'],
    ['a config value that is no text', withPlugin({ config: { a: 1 } }), 'plugins.echo.config.a'],
    [
      'a config value behind a key with a line break',
      withPlugin({ config: { 'a\nb': 1 } }),
      'plugins.echo.config["a\\nb"]',
    ],
    ['a host that is no text', withPlugin({ allowedHosts: [1] }), 'plugins.echo.allowedHosts[0]'],
    ['a probe without input', withPlugin({ probe: { function: 'f' } }), 'plugins.echo.probe.input'],
    ['a time limit of 0', withPlugin({ timeoutMs: 0 }), 'plugins.echo.timeoutMs'],
    [
      'a time limit of more than a day',
      withPlugin({ timeoutMs: 86_400_001 }),
      'plugins.echo.timeoutMs',
    ],
    ['half a page', withPlugin({ memory: { maxPages: 0.5 } }), 'plugins.echo.memory.maxPages'],
    ['a port above 65535', minimalFile({ listen: { port: 65_536 } }), 'listen.port'],
    ['a port as text', minimalFile({ listen: { port: '80' } }), 'listen.port'],
    ['an address in brackets', minimalFile({ listen: { host: '[::1]' } }), 'listen.host'],
    ['an empty host', minimalFile({ admin: { host: '' } }), 'admin.host'],
    ['an empty token', minimalFile({ admin: { token: '' } }), 'admin.token'],
    ['0 workers', minimalFile({ workers: 0 }), 'workers'],
    ['a body limit of 0', minimalFile({ http: { bodyLimitBytes: 0 } }), 'http.bodyLimitBytes'],
    ['an unknown log level', minimalFile({ log: { level: 'verbose' } }), 'log.level'],
    ['a path without "/"', withRoute({ path: 'a' }), 'routes[0].path'],
    ['a path with a query', withRoute({ path: '/a?b' }), 'routes[0].path'],
    ['a path with an expression', withRoute({ path: '/:a((b+)+)' }), 'routes[0].path'],
    ['a path with a "*" inside', withRoute({ path: '/*/a' }), 'routes[0].path'],
    ['a method in small letters', withRoute({ method: 'get' }), 'routes[0].method'],
    ['a wrong method of a list', withRoute({ method: ['GET', 'FETCH'] }), 'routes[0].method[1]'],
    ['no method', withRoute({ method: [] }), 'routes[0].method'],
    ['the same method twice', withRoute({ method: ['GET', 'GET'] }), 'routes[0].method'],
    ['a function with a line break', withRoute({ function: 'a\nb' }), 'routes[0].function'],
    ['an errorStatus of success', withRoute({ errorStatus: 200 }), 'routes[0].errorStatus'],
    ['an errorStatus of 600', withRoute({ errorStatus: 600 }), 'routes[0].errorStatus'],
    [
      'a content type that splits the reply',
      withRoute({ contentType: 'text/plain\r\nx: y' }),
      'routes[0].contentType',
    ],
    ['a content type without "/"', withRoute({ contentType: 'json' }), 'routes[0].contentType'],
  ] as const) {
    it(`refuses ${title}`, () => {
      const lines = linesOf(file);
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.ok(lines[0]?.startsWith(`${place}: `), lines[0]);
    });
  }

  for (const [title, file] of [
    [
      'IPv6 addresses and zones',
      minimalFile({ listen: { host: 'fe80::1%eth0' }, admin: { host: '::1' } }),
    ],
    ['parameters and a wildcard', withRoute({ path: '/a/:id/:file.json/*' })],
    [
      'content types with parameters',
      withRoute({ contentType: 'application/problem+json; charset=utf-8' }),
    ],
    [
      'errorStatus 409 and null',
      minimalFile({
        routes: [
          { ...ROUTE, errorStatus: 409 },
          { ...ROUTE, errorStatus: null },
        ],
      }),
    ],
    ['null where it is the default', minimalFile({ admin: { token: null } })],
    ['any key of a config', withPlugin({ config: { '': '', 'a\nb': 'c', __proto__x: 'd' } })],
  ] as const) {
    it(`accepts ${title}`, () => assert.deepEqual(linesOf(file), []));
  }
});
