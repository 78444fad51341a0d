/** The article's request: eight bytes in, a greeting out. Every request has a number of its own in its body. */
import { CPUS, SCALED, type Served } from '../contenders.ts';
import type { Scenario } from './scenario.ts';

export const HELLO: Served = { plugin: 'hello', functionName: 'hello' };

const base = {
  served: HELLO,
  traffic: { kind: 'unique-hello' },
  bareTraffic: { kind: 'unique-echo', bytes: 8 },
  pace: { kind: 'closed' },
  seconds: 0.5,
  rounds: 2,
  quickContenders: [],
} as const;

const bareCluster = CPUS === 1 ? [] : ['bare-fastify-cluster'];

export const FRESH_SCENARIO: Scenario = {
  ...base,
  name: 'fresh',
  title: 'hello, nothing survives a request, 100 connections',
  connections: 100,
  rounds: 3,
  warmLoads: 10,
  contenders: [
    ...['plugind-fresh', 'plugind-1-fresh', 'plugind-1'],
    ...['go-instance-per-request', 'go-compiled-once', 'instance-per-request'],
  ],
  quickContenders: ['plugind-fresh', 'instance-per-request'],
};

/** The same in Rust, as the article's plugin is, whose allocator takes a page in each call. */
export const FRESH_RUST_SCENARIO: Scenario = {
  ...FRESH_SCENARIO,
  name: 'fresh-rust',
  title: 'hello in Rust, nothing survives a request, 100 connections',
  served: { plugin: 'hello-rust', functionName: 'hello' },
  contenders: FRESH_SCENARIO.contenders.filter((name) => name !== 'plugind-1'),
  quickContenders: [],
};

export const HELLO_SCENARIOS: readonly Scenario[] = [
  {
    ...base,
    name: 'hello-100',
    title: 'hello, 8 B, 100 connections',
    connections: 100,
    seconds: 0.8,
    rounds: 3,
    warmLoads: 10,
    contenders: ['plugind', 'go-mutex', 'go-pool', 'promise-mutex', ...bareCluster],
    quickContenders: ['plugind', 'go-mutex', 'promise-mutex', ...bareCluster],
  },
  {
    ...base,
    name: 'hello-wrk',
    title: 'hello, 8 B, 100 connections, by wrk',
    traffic: { kind: 'fixed', body: 'John Doe', answer: '{"message":"🦀 Hello John Doe"}' },
    bareTraffic: { kind: 'fixed', body: 'John Doe', answer: 'John Doe' },
    connections: 100,
    seconds: 2,
    rounds: 3,
    warmLoads: 6,
    contenders: [
      ...['plugind', 'go-mutex', 'go-pool', 'promise-mutex', ...bareCluster],
      ...['plugind-1', 'bare-fastify'],
    ],
    tool: { name: 'wrk' },
  },
  {
    ...base,
    name: 'hello-1',
    title: 'hello, 8 B, 1 connection',
    connections: 1,
    contenders: ['plugind', 'plugind-thread', 'go-mutex'],
  },
  {
    ...base,
    name: 'hello-1000',
    title: 'hello, 8 B, 1,000 connections',
    connections: 1000,
    contenders: ['plugind', 'go-mutex'],
  },
  {
    ...base,
    name: 'scale',
    title: 'hello, 100 connections, by workers',
    connections: 100,
    contenders: [...SCALED.map(({ name }) => name), ...(CPUS === 1 ? [] : ['plugind'])],
  },
  {
    ...base,
    name: 'wrong-answers',
    title: 'hello, 100 connections, with and without a lock',
    connections: 100,
    rounds: 1,
    contenders: ['shared-unlocked', 'go-shared-unlocked', 'go-mutex', 'plugind', 'plugind-pool'],
    quickContenders: ['shared-unlocked', 'plugind'],
  },
];
