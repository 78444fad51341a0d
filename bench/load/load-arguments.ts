/** Reads the command line of the load client. */

import { parseArgs } from 'node:util';
import { BadOptions } from './bad-options.ts';
import type { LoadOptions } from './load-options.ts';
import type { Traffic } from './traffic.ts';

export const TOOLS = ['plugind-load', 'hey', 'wrk'] as const;

export interface LoadArguments {
  readonly options: LoadOptions;
  readonly tool: (typeof TOOLS)[number];
  /** Print the result as JSON. */
  readonly json: boolean;
  /** null: no /metrics. */
  readonly metricsPort: number | null;
  readonly testid: string;
  readonly scenario: string;
}

export const LOAD_USAGE = `Sends load to a server of this machine and checks every answer.

Usage: npm run load -- URL [options]

  --traffic KIND      hello (default; numbers in, {"message":"🦀 Hello NUMBER"} out), echo:BYTES, vowels:BYTES, or
  --body T --answer T   one text and the only right answer to it
  --method M          POST (default) or GET; with GET the number goes where the URL says {id}, else to ?id=
  -c, --connections N 50      --threads N    1       --pipelining N  1
  -r, --rate N        requests/s whether or not the server keeps up (open loop); default: as fast as it answers
  -d, --duration S    10      --warm-up S    1       --timeout S     10
  -n, --requests N    so many requests in place of a duration
  --no-keep-alive     a new connection for each request
  --tool TOOL         plugind-load (default), hey or wrk; those two check no body
  --json              the result as JSON
  --metrics-port P    serve /metrics, with --testid ID and --scenario NAME as labels

Exit code: 0 every answer right, 1 wrong or failed ones (refused ones are none), 2 a mistake in the options,
130 interrupted; what there is by then is printed.`;

/** null: the help is asked for. @throws BadOptions with one line. */
export function parseLoadArguments(argv: readonly string[]): LoadArguments | null {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      traffic: { type: 'string' },
      body: { type: 'string' },
      answer: { type: 'string' },
      method: { type: 'string', default: 'POST' },
      connections: { type: 'string', short: 'c', default: '50' },
      threads: { type: 'string', default: '1' },
      pipelining: { type: 'string', default: '1' },
      rate: { type: 'string', short: 'r' },
      duration: { type: 'string', short: 'd', default: '10' },
      'warm-up': { type: 'string' },
      requests: { type: 'string', short: 'n' },
      timeout: { type: 'string', default: '10' },
      'no-keep-alive': { type: 'boolean', default: false },
      tool: { type: 'string', default: 'plugind-load' },
      json: { type: 'boolean', default: false },
      'metrics-port': { type: 'string' },
      testid: { type: 'string', default: 'manual' },
      scenario: { type: 'string', default: 'manual' },
    },
  });
  if (values.help === true) return null;
  const [url, extra] = positionals;
  if (url === undefined || extra !== undefined) throw new BadOptions('one URL is needed');
  const { method } = values;
  if (method !== 'POST' && method !== 'GET') throw new BadOptions('--method must be POST or GET');
  const tool = TOOLS.find((one) => one === values.tool);
  if (tool === undefined) throw new BadOptions(`--tool must be one of ${TOOLS.join(', ')}`);
  // The others have none.
  const warmUp = values['warm-up'] ?? (tool === 'plugind-load' ? '1' : '0');
  return {
    options: {
      url,
      method,
      traffic: toTraffic(values.traffic, values.body, values.answer),
      connections: toNumber('connections', values.connections),
      threads: toNumber('threads', values.threads),
      pipelining: toNumber('pipelining', values.pipelining),
      keepAlive: !values['no-keep-alive'],
      rate: values.rate === undefined ? null : toNumber('rate', values.rate),
      durationMs: Math.round(toNumber('duration', values.duration) * 1000),
      warmUpMs: Math.round(toNumber('warm-up', warmUp) * 1000),
      requests: values.requests === undefined ? null : toNumber('requests', values.requests),
      timeoutMs: Math.round(toNumber('timeout', values.timeout) * 1000),
    },
    tool,
    json: values.json,
    metricsPort:
      values['metrics-port'] === undefined
        ? null
        : toNumber('metrics-port', values['metrics-port']),
    testid: values.testid,
    scenario: values.scenario,
  };
}

function toTraffic(
  traffic: string | undefined,
  body: string | undefined,
  answer: string | undefined,
): Traffic {
  if (body !== undefined || answer !== undefined) {
    if (traffic !== undefined) throw new BadOptions('--traffic and --body exclude each other');
    if (answer === undefined) throw new BadOptions('--body needs an --answer to check against');
    return { kind: 'fixed', body: body ?? '', answer };
  }
  const [kind = 'hello', bytes = '', ...rest] = (traffic ?? 'hello').split(':');
  if (kind === 'hello' && bytes === '') return { kind: 'unique-hello' };
  const size = toNumber('traffic', bytes);
  if (kind === 'echo' && rest.length === 0) return { kind: 'unique-echo', bytes: size };
  if (kind === 'vowels' && rest.length === 0) return { kind: 'vowels', bytes: size };
  throw new BadOptions(`--traffic must be hello, echo:BYTES or vowels:BYTES (got ${traffic})`);
}

function toNumber(name: string, text: string): number {
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(number)) throw new BadOptions(`--${name} must be a number (got "${text}")`);
  return number;
}
