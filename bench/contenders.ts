/**
 * The servers that are measured, by name. Each is a command line; runner/start-contender.ts runs it.
 * All of them serve the same plugin file. What they answer to is the scenario's business.
 */
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { writePlugindConfig } from './servers/plugind.ts';

export const ROOT: string = path.dirname(import.meta.dirname);
/** These are written by runner/build.ts. */
export const SERVERS_FOLDER: string = path.join(import.meta.dirname, 'dist/servers');
export const LOAD_FOLDER: string = path.join(import.meta.dirname, 'dist/load');
export const PEERS_PROGRAM: string = path.join(import.meta.dirname, 'dist/peers/peers');

export const CPUS: number = os.availableParallelism();
/** As many instances as the best Go design had: more than CPUs, so that one is always ready. */
export const POOL_SIZE = 4;

/** What a contender serves. */
export interface Served {
  /** Folder below examples/. */
  readonly plugin: string;
  readonly functionName: string;
  /** Host functions of the Node servers, below host-functions/; the Go peers have their own. */
  readonly hostFunctions?: string;
  /** Instances where a contender has a pool; default POOL_SIZE. */
  readonly poolSize?: number;
  /** plugind: requests that may wait, per worker. */
  readonly queueMax?: number;
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

export interface Contender {
  readonly name: string;
  /** For tables. */
  readonly title: string;
  readonly family: 'plugind' | 'node' | 'go';
  /** Answers wrong by design: its figures stand in no comparison, its wrong answers are shown. */
  readonly isUnsafe?: true;
  /** Has no plugin: it answers with the body. */
  readonly isBare?: true;
  /** @param folder of this process's own, for files it needs. */
  readonly command: (served: Served, folder: string) => Command;
}

export function wasmFile(plugin: string): string {
  return path.join(ROOT, 'examples', plugin, `${plugin}.wasm`);
}

function hostModule(name: string): string {
  return path.join(import.meta.dirname, 'host-functions', `${name}.js`);
}

interface Ours {
  readonly workers: number;
  readonly isolation: 'shared' | 'pool' | 'fresh';
  readonly execution?: 'inline' | 'thread';
  /** In place of the scenario's, where it has any. */
  readonly hostFunctions?: string;
}

function ours(name: string, title: string, settings: Ours): Contender {
  const { workers, isolation, execution = 'inline' } = settings;
  const command = (served: Served, folder: string): Command => {
    const functions =
      served.hostFunctions === undefined
        ? undefined
        : (settings.hostFunctions ?? served.hostFunctions);
    const config = writePlugindConfig(folder, {
      wasm: wasmFile(served.plugin),
      functionName: served.functionName,
      isolation,
      execution,
      ...(isolation === 'pool' ? { poolSize: served.poolSize ?? POOL_SIZE } : {}),
      ...(functions === undefined ? {} : { hostFunctions: hostModule(functions) }),
      ...(served.queueMax === undefined ? {} : { queueMax: served.queueMax }),
    });
    const cli = path.join(ROOT, 'dist/cli.js');
    return {
      program: process.execPath,
      args: [cli, 'serve', '--config', config, '--workers', String(workers)],
    };
  };
  return { name, title, family: 'plugind', command };
}

function node(name: string, title: string, more: Pick<Contender, 'isUnsafe'> = {}): Contender {
  const command = ({ plugin, functionName, hostFunctions }: Served): Command => ({
    program: process.execPath,
    args: [
      path.join(SERVERS_FOLDER, `${name}.js`),
      wasmFile(plugin),
      functionName,
      ...(hostFunctions === undefined ? [] : [pathToFileURL(hostModule(hostFunctions)).href]),
    ],
  });
  return { name, title, family: 'node', command, ...more };
}

/** Node without a plugin. */
function bare(name: string, title: string, file: string, args: readonly string[]): Contender {
  const command = (): Command => ({
    program: process.execPath,
    args: [path.join(SERVERS_FOLDER, `${file}.js`), ...args],
  });
  return { name, title, family: 'node', isBare: true, command };
}

type Traits = Pick<Contender, 'isUnsafe' | 'isBare'>;

function go(mode: string, title: string, more: Traits = {}): Contender {
  const command = ({ plugin, functionName, poolSize = POOL_SIZE }: Served): Command => ({
    program: PEERS_PROGRAM,
    args: [
      ...['-mode', mode, '-wasm', wasmFile(plugin)],
      ...['-function', functionName, '-pool', String(poolSize)],
    ],
  });
  return { name: `go-${mode}`, title, family: 'go', command, ...more };
}

const workers = (count: number): string => `${count} worker${count === 1 ? '' : 's'}`;

/** plugind with fewer workers than CPUs, for the scenario that scales them. With one CPU it is `plugind` again. */
export const SCALED: readonly Contender[] = scaleSteps(CPUS)
  .filter((count) => count === 1 || count < CPUS)
  .map((count) =>
    ours(`plugind-${count}`, `plugind, ${workers(count)}`, { workers: count, isolation: 'shared' }),
  );

export const CONTENDERS: readonly Contender[] = [
  ours('plugind', `plugind, ${workers(CPUS)}`, { workers: CPUS, isolation: 'shared' }),
  ours('plugind-pool', `plugind, ${workers(CPUS)}, pool`, { workers: CPUS, isolation: 'pool' }),
  ours('plugind-fresh', `plugind, ${workers(CPUS)}, fresh`, { workers: CPUS, isolation: 'fresh' }),
  ours('plugind-1-fresh', 'plugind, 1 worker, fresh', { workers: 1, isolation: 'fresh' }),
  ours('plugind-thread', `plugind, ${workers(CPUS)}, a thread each`, {
    workers: CPUS,
    isolation: 'shared',
    execution: 'thread',
  }),
  ours('plugind-thread-pool', `plugind, ${workers(CPUS)}, a pool of threads`, {
    workers: CPUS,
    isolation: 'pool',
    execution: 'thread',
  }),
  ours('plugind-suspending-pool', `plugind, ${workers(CPUS)}, a pool that suspends`, {
    workers: CPUS,
    isolation: 'pool',
    hostFunctions: 'wait-async',
  }),
  ...SCALED,
  node('promise-mutex', 'Node: Fastify + SDK + promise mutex, 1 process'),
  node('instance-per-request', 'Node: Fastify + SDK, an instance a request, 1 process'),
  node('shared-unlocked', 'Node: Fastify + SDK, no lock, 1 process', { isUnsafe: true }),
  bare('bare-fastify', 'Node: Fastify without a plugin, 1 process', 'bare-fastify', ['1']),
  ...(CPUS === 1
    ? []
    : [
        bare(
          'bare-fastify-cluster',
          `Node: Fastify without a plugin, ${CPUS} processes`,
          'bare-fastify',
          [String(CPUS)],
        ),
      ]),
  bare('raw-http', 'Node: node:http without a plugin, 1 process', 'raw-http', []),
  go('shared-unlocked', 'Go: no lock (article 1)', { isUnsafe: true }),
  go('instance-per-request', 'Go: an instance a request (article 2)'),
  go('mutex', 'Go: mutex (article 3)'),
  go('compiled-once', 'Go: compiled once, an instance a request'),
  go('pool', `Go: pool of ${POOL_SIZE}`),
  go('bare', 'Go: Fiber without a plugin', { isBare: true }),
];

/** 1, 2, 4 … and the number of CPUs. */
export function scaleSteps(cpus: number): readonly number[] {
  const steps = [];
  for (let count = 1; count < cpus; count *= 2) steps.push(count);
  return [...steps, cpus];
}

/** @throws Error when there is none of this name. */
export function contenderNamed(name: string): Contender {
  const found = CONTENDERS.find((contender) => contender.name === name);
  if (found === undefined) {
    const known = CONTENDERS.map((contender) => contender.name).join(', ');
    throw new Error(`there is no contender ${name}; there are: ${known}`);
  }
  return found;
}
