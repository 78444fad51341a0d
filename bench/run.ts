/**
 * Requests a second of plugind beside the article's Node version and a bare Fastify route, in
 * interleaved rounds, so that a noisy machine is noisy for all of them. Needs `wrk`.
 * Usage: npm run bench [-- --rounds N --seconds N]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Contender, type RunningContender, startContender } from './contender.ts';

const BODY = 'John Doe';
const HELLO = 'examples/hello/hello.wasm';
const ECHO = 'examples/echo/echo.wasm';
const HELLO_ANSWER = '{"message":"🦀 Hello John Doe"}';
const CONNECTIONS = 100;
const PORTS = ['--port', '0', '--admin-port', '0'];

function config(name: string): string[] {
  return ['--config', `bench/configs/${name}.json`];
}

const CONTENDERS: readonly Contender[] = [
  {
    name: 'plugind, 2 workers, hello',
    command: ['dist/cli.js', 'serve', HELLO, 'hello', '--workers', '2', ...PORTS],
    answer: HELLO_ANSWER,
  },
  {
    name: 'Fastify + SDK + promise mutex, 1 process, hello',
    command: ['--import', 'tsx', 'bench/servers/promise-mutex.ts', HELLO, 'hello'],
    answer: HELLO_ANSWER,
  },
  {
    name: 'plugind, 1 worker, hello',
    command: ['dist/cli.js', 'serve', HELLO, 'hello', '--workers', '1', ...PORTS],
    answer: HELLO_ANSWER,
  },
  {
    name: 'plugind, 1 worker, hello, fresh',
    command: ['dist/cli.js', 'serve', ...config('hello-fresh'), '--workers', '1', ...PORTS],
    answer: HELLO_ANSWER,
  },
  {
    name: 'Fastify + SDK, instance a request, 1 process, hello',
    command: ['--import', 'tsx', 'bench/servers/instance-per-request.ts', HELLO, 'hello'],
    answer: HELLO_ANSWER,
  },
  {
    name: 'plugind, 1 worker, echo',
    command: ['dist/cli.js', 'serve', ECHO, 'echo', '--workers', '1', ...PORTS],
    answer: BODY,
  },
  {
    name: 'bare Fastify, 1 process, echo',
    command: ['--import', 'tsx', 'bench/servers/bare-fastify.ts'],
    answer: BODY,
  },
];

/** Ratios worth naming: what, over what. */
const RATIOS: readonly (readonly [string, string])[] = [
  ['plugind, 2 workers, hello', 'Fastify + SDK + promise mutex, 1 process, hello'],
  ['plugind, 1 worker, echo', 'bare Fastify, 1 process, echo'],
  ['plugind, 1 worker, hello', 'bare Fastify, 1 process, echo'],
  ['plugind, 1 worker, hello, fresh', 'plugind, 1 worker, hello'],
  ['plugind, 1 worker, hello, fresh', 'Fastify + SDK, instance a request, 1 process, hello'],
];

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '3' } },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

const running: RunningContender[] = [];
const results = new Map<string, number[]>(CONTENDERS.map(({ name }) => [name, []]));
try {
  for (const contender of CONTENDERS) running.push(await startContender(contender, BODY));
  for (const { url } of running) load(url, 1);
  for (let round = 1; round <= rounds; round++) {
    for (const { contender, url } of shuffled(running)) {
      const rate = load(url, seconds);
      results.get(contender.name)?.push(rate);
      console.error(`round ${round}/${rounds}  ${Math.round(rate)} req/s  ${contender.name}`);
    }
  }
} finally {
  await Promise.all(running.map((contender) => contender.stop()));
}
report();

function load(url: string, durationSeconds: number): number {
  const script = path.join(import.meta.dirname, 'post.lua');
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${durationSeconds}s`, '-s', script, url];
  const text = execFileSync('wrk', args, { encoding: 'utf8' });
  const failed = /Non-2xx|Socket errors/.exec(text);
  if (failed !== null) throw new Error(`${url}: ${text}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

function report(): void {
  const medianOf = (name: string): number => median(results.get(name) ?? []);
  console.log(`| server | req/s, median of ${rounds} | lowest | highest |\n|---|---|---|---|`);
  for (const [name, rates] of results) {
    const figures = [median(rates), Math.min(...rates), Math.max(...rates)].map(Math.round);
    console.log(`| ${name} | ${figures.join(' | ')} |`);
  }
  const ratios = RATIOS.map(([a, b]) => ({ of: a, to: b, ratio: medianOf(a) / medianOf(b) }));
  for (const { of, to, ratio } of ratios) console.log(`\n${of} / ${to}: ${ratio.toFixed(2)}`);
  const directory = path.join(import.meta.dirname, 'results');
  mkdirSync(directory, { recursive: true });
  const machine = `${os.availableParallelism()} CPUs, ${os.cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`;
  const record = {
    machine,
    connections: CONNECTIONS,
    rounds,
    seconds,
    results: [...results],
    ratios,
  };
  writeFileSync(path.join(directory, 'throughput.json'), `${JSON.stringify(record, null, 2)}\n`);
}
