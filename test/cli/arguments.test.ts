import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseArguments, parseServeArguments } from '../../src/cli/arguments.ts';
import { USAGE } from '../../src/cli/usage.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { ServerError } from '../../src/errors.ts';

const words = (line: string): string[] => line.split(' ').filter((word) => word !== '');

/** The one line that refuses a command line. */
function refusal(
  argv: readonly string[],
  parse: (argv: readonly string[]) => unknown = parseArguments,
): string {
  try {
    parse(argv);
  } catch (thrown) {
    assert.ok(thrown instanceof ServerError, String(thrown));
    assert.equal(thrown.code, 'CONFIG_INVALID');
    assert.ok(!thrown.message.includes('\n'), thrown.message);
    return thrown.message;
  }
  return assert.fail('nothing was thrown');
}

describe('parseArguments', () => {
  for (const [line, args] of [
    ['serve', {}],
    ['serve hello.wasm hello', { wasm: 'hello.wasm', function: 'hello' }],
    ['serve hello.wasm hello 8080', { wasm: 'hello.wasm', function: 'hello', port: 8080 }],
    ['serve --port 0 hello.wasm hello', { wasm: 'hello.wasm', function: 'hello', port: 0 }],
    ['serve --config a.json', { config: 'a.json' }],
    ['serve --config=a.json --workers=auto', { config: 'a.json', workers: 'auto' }],
    ['--workers 4 serve', { workers: 4 }],
    [
      'serve --host :: --port 65535 --admin-host ::1 --admin-port 1 --workers 1024',
      { host: '::', port: 65_535, adminHost: '::1', adminPort: 1, workers: 1024 },
    ],
    ['serve -- -x.wasm f', { wasm: '-x.wasm', function: 'f' }],
  ] as const) {
    it(`reads ${line}`, () => {
      assert.deepEqual(parseArguments(words(line)), { name: 'serve', args });
      const check = words(line).map((word) => (word === 'serve' ? 'check' : word));
      assert.deepEqual(parseArguments(check), { name: 'check', args });
    });
  }

  for (const line of [
    '--help',
    '-h',
    'serve --help',
    'serve a --help b --nonsense',
    '--help --version',
  ]) {
    it(`answers ${line} with the help`, () => {
      assert.deepEqual(parseArguments(words(line)), { name: 'help' });
    });
  }
  for (const line of ['--version', '-v', 'check --version']) {
    it(`answers ${line} with the version`, () => {
      assert.deepEqual(parseArguments(words(line)), { name: 'version' });
    });
  }

  for (const [line, expected] of [
    ['', /^no command given; the commands are: serve, check, reload, verify /],
    ['reload --port 80', /^reload takes --run-dir only \(got --port too\)/],
    ['reload now', /^reload takes no arguments \(got "now"\)$/],
    ['reload --run-dir=', /^--run-dir must be a folder/],
    ['serve --run-dir d', /^--run-dir is for plugind reload, not for serve$/],
    ['verify', /^URL is missing: verify takes/],
    ['verify a b', /^verify takes one URL \(got "b" too\)$/],
    ['verify a --port 80', /^verify does not take --port$/],
    ['verify a --requests 0', /^--requests must be an integer from 1 to 10000000 \(got "0"\)$/],
    ['verify a --connections 1001', /^--connections must be an integer from 1 to 1000 /],
    ['verify a --connections 1e2', /^--connections must be an integer .*got "1e2"/],
    ['verify a --method get', /^--method must be POST, GET or both \(got "get"\)$/],
    ['serve --requests 5', /^--requests is for plugind verify, not for serve$/],
    ['reload --method GET', /^reload takes --run-dir only \(got --method too\)/],
    ['sevre', /^unknown command "sevre"; did you mean "serve"\?; the commands are/],
    ['hello.wasm hello', /^unknown command "hello.wasm"; the commands are/],
    ['serve --prot 80', /^unknown flag --prot; did you mean "--port"\?$/],
    ['serve --nonsense', /^unknown flag --nonsense$/],
    ['serve -p 80', /^unknown flag -p$/],
    ['serve --no-port', /^unknown flag --no-port/],
    ['serve --__proto__ x', /^unknown flag --__proto__$/],
    ['--help=yes', /^--help takes no value$/],
    ['serve --port', /^--port needs a value$/],
    ['serve --host --port 80', /^--host needs a value$/],
    ['serve --port 1 --port 2', /^--port is given twice$/],
    ['serve --port 65536', /^--port must be an integer from 0 to 65535 \(got "65536"\)$/],
    ['serve --port=-1', /^--port must be an integer .*got "-1"/],
    ['serve --port 80a', /^--port must be an integer .*got "80a"/],
    ['serve --port 8e3', /^--port must be an integer .*got "8e3"/],
    ['serve --port=', /^--port must be an integer .*got ""/],
    ['serve --admin-port x', /^--admin-port must be an integer from 0 to 65535 \(got "x"\)$/],
    ['serve --workers 0', /^--workers must be "auto" or an integer from 1 to 1024 \(got "0"\)$/],
    ['serve --workers 1025', /^--workers must be/],
    ['serve --workers max', /^--workers must be/],
    ['serve --host [::1]', /^--host must be a host name or an IP address .*got "\[::1\]"/],
    ['serve --config=', /^--config must be a file name \(got ""\)$/],
    [
      'serve a.wasm',
      /^FUNCTION is missing: serve takes WASM FUNCTION \[PORT\] \(got "a.wasm" alone\)$/,
    ],
    ['serve a.wasm f x', /^PORT must be an integer from 0 to 65535 \(got "x"\)$/],
    ['serve a.wasm f 1 b', /^serve takes WASM FUNCTION PORT at most \(got "b" too\)$/],
    ['check a.wasm f 1 b', /^check takes/],
    ['serve a.wasm f 1 --port 2', /^the port is given twice \(got "1" and --port 2\)$/],
    [
      'serve a.wasm f --config c',
      /^--config and WASM FUNCTION exclude each other \(got "c" and "a.wasm"\)$/,
    ],
  ] as const) {
    it(`refuses ${line === '' ? 'nothing' : line}`, () =>
      assert.match(refusal(words(line)), expected));
  }

  it('refuses empty words', () => {
    assert.match(refusal(['serve', '', 'f']), /^WASM must be a file name \(got ""\)$/);
    assert.match(refusal(['serve', 'a.wasm', '']), /^FUNCTION must be .*\(got ""\)$/);
  });
});

describe('reload', () => {
  it('takes a run directory, or finds it', () => {
    assert.deepEqual(parseArguments(words('reload')), { name: 'reload', runDir: null });
    assert.deepEqual(parseArguments(words('reload --run-dir d')), { name: 'reload', runDir: 'd' });
  });
});

describe('verify', () => {
  it('takes a URL, and as much load as it is told', () => {
    const args = { url: 'u', connections: 50, requests: 5000, methods: ['POST', 'GET'] };
    assert.deepEqual(parseArguments(words('verify u')), { name: 'verify', args });
    const line = 'verify u --connections 2 --requests 9 --method GET';
    const given = { url: 'u', connections: 2, requests: 9, methods: ['GET'] };
    assert.deepEqual(parseArguments(words(line)), { name: 'verify', args: given });
  });
});

describe('parseServeArguments', () => {
  it('reads what follows the word serve, as pm2 gives it', () => {
    assert.deepEqual(parseServeArguments([]), {});
    assert.deepEqual(parseServeArguments(words('a.wasm f 80 --workers 2')), {
      wasm: 'a.wasm',
      function: 'f',
      port: 80,
      workers: 2,
    });
  });
  it('refuses switches that only a person needs', () => {
    assert.match(refusal(['--help'], parseServeArguments), /^unknown flag --help/);
  });
  it('takes the word serve for a file, as it stands', () => {
    assert.match(refusal(['serve'], parseServeArguments), /^FUNCTION is missing/);
  });
});

describe('USAGE', () => {
  it('names every flag and every variable', () => {
    for (const { flag, variables } of Object.values(SETTINGS)) {
      if (flag !== null) assert.ok(USAGE.includes(`--${flag} `), flag);
      for (const variable of variables) assert.match(USAGE, new RegExp(`\\b${variable}\\b`));
    }
  });
  it('names every command and the flags of verify', () => {
    for (const word of ['serve', 'check', 'reload', 'verify']) {
      assert.ok(USAGE.includes(`plugind ${word} `), word);
    }
    for (const flag of ['connections', 'requests', 'method']) {
      assert.ok(USAGE.includes(`--${flag} `), flag);
    }
  });
  it('fits a terminal', () => {
    for (const line of USAGE.split('\n')) assert.ok(line.length <= 110, line);
  });
});
