import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DEFAULTS, PLUGIN_DEFAULTS, ROUTE_DEFAULTS } from '../../src/config/defaults.ts';
import {
  BUNDLED,
  createDirectory,
  type Directory,
  errorOf,
  load,
  loadFile,
  minimalFile,
  problemsOf,
} from './fixture.ts';

describe('loadConfig', () => {
  let directory: Directory;
  beforeEach(() => {
    directory = createDirectory();
  });
  afterEach(() => directory.remove());

  it('serves the bundled plugin when nothing is named', () => {
    const config = load({ cwd: directory.path });
    assert.equal(config.origin, 'bundled');
    assert.deepEqual(config.plugins, [
      { ...PLUGIN_DEFAULTS, name: 'hello', source: { kind: 'wasm', path: BUNDLED.wasm } },
    ]);
    assert.deepEqual(config.routes, [
      {
        ...ROUTE_DEFAULTS,
        path: '/',
        plugin: 'hello',
        function: 'hello',
        contentType: 'application/json',
      },
    ]);
  });

  it('reads ./plugind.json when nothing is named and it is there', () => {
    const file = directory.write('plugind.json', minimalFile());
    const config = load({ cwd: directory.path });
    assert.equal(config.origin, file);
    assert.deepEqual(
      config.plugins.map(({ name }) => name),
      ['echo'],
    );
  });

  it('fills every default', () => {
    const { origin, workers, plugins, routes, ...rest } = loadFile(minimalFile());
    const { workers: auto, ...defaults } = DEFAULTS;
    assert.equal(auto, 'auto');
    assert.equal(workers, 3);
    assert.deepEqual(rest, defaults);
    const { name, source, ...plugin } = plugins[0] ?? assert.fail();
    assert.deepEqual(plugin, PLUGIN_DEFAULTS);
    const {
      path: routePath,
      plugin: used,
      function: called,
      ...route
    } = routes[0] ?? assert.fail();
    assert.deepEqual(route, ROUTE_DEFAULTS);
  });

  it('freezes all of it', () => {
    const manifest = { wasm: [{ path: 'a.wasm' }] };
    const config = loadFile(minimalFile({ plugins: { echo: { manifest } } }));
    const seen = new Set<unknown>();
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null || seen.has(value)) return;
      seen.add(value);
      assert.ok(Object.isFrozen(value), JSON.stringify(value));
      Object.values(value).forEach(visit);
    };
    visit(config);
    assert.ok(seen.size > 15);
  });

  it('makes paths absolute from the folder of the file', () => {
    directory.write('etc/plugind.json', {
      plugins: {
        a: { wasm: '../a.wasm' },
        b: { manifest: 'b.json' },
        c: { manifest: { wasm: [] } },
      },
      routes: [{ path: '/', plugin: 'a', function: 'f' }],
    });
    const config = load({ args: { config: 'etc/plugind.json' }, cwd: directory.path });
    const etc = path.join(directory.path, 'etc');
    assert.deepEqual(
      config.plugins.map(({ source }) => source),
      [
        { kind: 'wasm', path: path.join(directory.path, 'a.wasm') },
        { kind: 'manifest-file', path: path.join(etc, 'b.json') },
        { kind: 'manifest', manifest: { wasm: [] }, baseDir: etc },
      ],
    );
  });

  it('takes one method or a list of them', () => {
    const route = { path: '/', plugin: 'echo', function: 'f' };
    const routes = [{ ...route, method: 'PUT' }, { ...route, method: ['GET', 'HEAD'] }, route];
    const config = loadFile(minimalFile({ routes }));
    assert.deepEqual(
      config.routes.map(({ methods }) => methods),
      [['PUT'], ['GET', 'HEAD'], ['POST']],
    );
  });

  it('serves one plugin of the arguments, with WASI, without reading ./plugind.json', () => {
    directory.write('plugind.json', 'not JSON');
    const args = { wasm: 'my plugins/count vowels.wasm', function: 'count' };
    const config = load({ args, cwd: directory.path });
    assert.equal(config.origin, 'arguments');
    assert.deepEqual(config.plugins, [
      {
        ...PLUGIN_DEFAULTS,
        name: 'count-vowels',
        wasi: true,
        source: { kind: 'wasm', path: path.join(directory.path, args.wasm) },
      },
    ]);
    assert.deepEqual(config.routes, [
      { ...ROUTE_DEFAULTS, path: '/', plugin: 'count-vowels', function: 'count' },
    ]);
  });

  it('names a plugin of the arguments so that it can be a label', () => {
    const nameOf = (wasm: string): string | undefined =>
      load({ args: { wasm, function: 'f' }, cwd: directory.path }).plugins[0]?.name;
    assert.equal(nameOf('/x/hello.wasm'), 'hello');
    assert.equal(nameOf('é.wasm'), '-');
    assert.equal(nameOf(`${'n'.repeat(200)}.wasm`), 'n'.repeat(64));
    assert.equal(nameOf('/'), 'plugin');
  });

  describe('precedence', () => {
    const file = minimalFile({
      listen: { host: '127.0.0.2', port: 1 },
      admin: { host: '127.0.0.3', port: 2 },
      workers: 4,
    });
    const env = {
      PLUGIND_HOST: '127.0.1.2',
      PLUGIND_PORT: '11',
      PLUGIND_ADMIN_HOST: '127.0.1.3',
      PLUGIND_ADMIN_PORT: '12',
      PLUGIND_WORKERS: '14',
    };
    const args = {
      host: '127.0.2.2',
      port: 21,
      adminHost: '127.0.2.3',
      adminPort: 22,
      workers: 24,
    };
    const summary = (options: Parameters<typeof loadFile>[1]): unknown => {
      const { listen, admin, workers } = loadFile(file, options);
      return [listen.host, listen.port, admin.host, admin.port, workers];
    };

    it('prefers the file to the default', () => {
      assert.deepEqual(summary({}), ['127.0.0.2', 1, '127.0.0.3', 2, 4]);
    });
    it('prefers the environment to the file', () => {
      assert.deepEqual(summary({ env }), ['127.0.1.2', 11, '127.0.1.3', 12, 14]);
    });
    it('prefers a flag to the environment', () => {
      assert.deepEqual(summary({ env, args }), ['127.0.2.2', 21, '127.0.2.3', 22, 24]);
    });
    it('takes one from each', () => {
      assert.deepEqual(summary({ env: { PLUGIND_PORT: '11' }, args: { workers: 24 } }), [
        '127.0.0.2',
        11,
        '127.0.0.3',
        2,
        24,
      ]);
    });
    it('asks for the number of workers that "auto" is, from a flag or a variable too', () => {
      assert.equal(loadFile(file, { args: { workers: 'auto' } }).workers, 3);
      assert.equal(loadFile(file, { env: { PLUGIND_WORKERS: 'auto' } }).workers, 3);
    });
  });

  describe('what is served', () => {
    it('takes PLUGIND_CONFIG', () => {
      const file = directory.write('other.json', minimalFile());
      const config = load({ env: { PLUGIND_CONFIG: 'other.json' }, cwd: directory.path });
      assert.equal(config.origin, file);
    });
    it('takes PLUGIND_WASM and PLUGIND_FUNCTION instead of ./plugind.json', () => {
      directory.write('plugind.json', minimalFile());
      const env = { PLUGIND_WASM: 'x.wasm', PLUGIND_FUNCTION: 'f' };
      const config = load({ env, cwd: directory.path });
      assert.equal(config.origin, 'environment');
      assert.equal(config.plugins[0]?.name, 'x');
    });
    it('lets arguments settle it, whatever the environment says', () => {
      const file = directory.write('c.json', minimalFile());
      const env = { PLUGIND_WASM: 'x.wasm', PLUGIND_FUNCTION: 'f' };
      assert.equal(load({ args: { config: 'c.json' }, env, cwd: directory.path }).origin, file);
      const args = { wasm: 'y.wasm', function: 'g' };
      const config = load({ args, env: { PLUGIND_CONFIG: 'c.json' }, cwd: directory.path });
      assert.equal(config.plugins[0]?.name, 'y');
    });
    for (const [title, env, variable] of [
      [
        'both a file and a plugin',
        { PLUGIND_CONFIG: 'c', PLUGIND_WASM: 'w', PLUGIND_FUNCTION: 'f' },
        'PLUGIND_CONFIG',
      ],
      ['a plugin without function', { PLUGIND_WASM: 'w' }, 'PLUGIND_FUNCTION'],
      ['a function without plugin', { PLUGIND_FUNCTION: 'f' }, 'PLUGIND_WASM'],
    ] as const) {
      it(`refuses ${title} in the environment`, () => {
        const lines = problemsOf(() => load({ env, cwd: directory.path }));
        assert.equal(lines.length, 1);
        assert.ok(lines[0]?.startsWith(`${variable}: must`), lines[0]);
      });
    }
  });

  describe('the environment', () => {
    it('reads PORT where PLUGIND_PORT is not set', () => {
      assert.equal(load({ env: { PORT: '81' }, cwd: directory.path }).listen.port, 81);
      const env = { PORT: '81', PLUGIND_PORT: '82' };
      assert.equal(load({ env, cwd: directory.path }).listen.port, 82);
      assert.equal(
        load({ env: { PORT: '81', PLUGIND_PORT: '' }, cwd: directory.path }).listen.port,
        81,
      );
    });
    it('counts an empty variable as not set', () => {
      const env = { PLUGIND_HOST: '', PLUGIND_WASM: '', PLUGIND_CONFIG: '', PORT: '' };
      assert.deepEqual(load({ env, cwd: directory.path }).listen, DEFAULTS.listen);
    });
    // Seen failing: no pod started any more once a service named plugind was there.
    it('does not take the address of a service of Kubernetes for a port', () => {
      const env = { PLUGIND_PORT: 'tcp://10.0.0.11:80', PLUGIND_ADMIN_PORT: 'udp://[fd00::1]:80' };
      const { listen, admin } = load({ env, cwd: directory.path });
      assert.deepEqual([listen, admin], [DEFAULTS.listen, DEFAULTS.admin]);
      assert.equal(load({ env: { ...env, PORT: '81' }, cwd: directory.path }).listen.port, 81);
    });
    it('names every variable that is wrong, beside what is wrong in the file', () => {
      directory.write('plugind.json', minimalFile({ watch: 1 }));
      const env = { PLUGIND_PORT: '65536', PLUGIND_WORKERS: '0', PLUGIND_ADMIN_HOST: 'a b' };
      assert.deepEqual(
        problemsOf(() => load({ env, cwd: directory.path })).map((line) => line.split(': ')[0]),
        ['PLUGIND_PORT', 'PLUGIND_WORKERS', 'PLUGIND_ADMIN_HOST', 'plugind.json'],
      );
    });
    it('does not read what a flag says already', () => {
      const env = { PLUGIND_PORT: 'x', PORT: 'y' };
      assert.equal(load({ args: { port: 5 }, env, cwd: directory.path }).listen.port, 5);
    });
  });

  describe('the file on disk', () => {
    it('is not found', () => {
      for (const config of ['nowhere.json', 'plain.txt/below.json']) {
        directory.write('plain.txt', 'x');
        const error = errorOf(() => load({ args: { config }, cwd: directory.path }));
        assert.equal(error.code, 'CONFIG_NOT_FOUND');
        assert.ok(error.message.startsWith(`${config}: `), error.message);
      }
    });
    it('is a directory', () => {
      mkdirSync(path.join(directory.path, 'plugind.json'));
      assert.match(problemsOf(() => load({ cwd: directory.path })).join(), /is a directory/);
    });
    it('is not a regular file', () => {
      const lines = problemsOf(() => load({ args: { config: '/dev/null' }, cwd: directory.path }));
      assert.match(lines.join(), /is not a regular file/);
    });
    it('cannot be read', () => {
      symlinkSync('plugind.json', path.join(directory.path, 'plugind.json'));
      const lines = problemsOf(() =>
        load({ args: { config: 'plugind.json' }, cwd: directory.path }),
      );
      assert.deepEqual(lines, ['plugind.json: cannot be read (ELOOP)']);
    });
    it('is too large', () => {
      directory.write('plugind.json', ' '.repeat(1_048_577));
      assert.match(problemsOf(() => load({ cwd: directory.path })).join(), /larger than 1048576/);
    });
    it('is not UTF-8', () => {
      directory.write('plugind.json', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]));
      assert.match(problemsOf(() => load({ cwd: directory.path })).join(), /UTF-8/);
    });
    it('may begin with a byte order mark', () => {
      directory.write('plugind.json', `\ufeff${JSON.stringify(minimalFile())}`);
      assert.equal(load({ cwd: directory.path }).plugins.length, 1);
    });
    it('is not JSON: line and column, and nothing of its content', () => {
      directory.write('plugind.json', '{\n  "admin": {\n    "token": "hush-hush",\n  }\n}\n');
      assert.deepEqual(
        problemsOf(() => load({ cwd: directory.path })),
        ['plugind.json: line 4, column 3: expected a key in double quotes, found "}"'],
      );
    });
    it('names a key twice', () => {
      directory.write('plugind.json', '{"plugins": {"a": {"wasm": "a"},\n "a": {"wasm": "b"}}}');
      assert.deepEqual(
        problemsOf(() => load({ cwd: directory.path })),
        ['plugind.json: line 2, column 2: plugins.a appears twice'],
      );
    });
    it('is named by its whole path when it lies elsewhere', () => {
      const elsewhere = createDirectory();
      try {
        const config = elsewhere.write('c.json', minimalFile({ watch: 1 }));
        const lines = problemsOf(() => load({ args: { config }, cwd: directory.path }));
        assert.ok(lines[0]?.startsWith(`${config}: watch: `), lines[0]);
      } finally {
        elsewhere.remove();
      }
    });
  });
});
