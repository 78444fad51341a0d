/** Larger bodies: count_vowels reads every byte, echo moves them. */
import type { Scenario } from './scenario.ts';

const VOWELS = { plugin: 'count-vowels', functionName: 'count_vowels' } as const;

const base = {
  pace: { kind: 'closed' },
  seconds: 0.5,
  rounds: 2,
  contenders: ['plugind', 'go-mutex', 'go-pool', 'promise-mutex'],
  quickContenders: [],
} as const;

export const BODY_SCENARIOS: readonly Scenario[] = [
  {
    ...base,
    name: 'vowels-1k',
    title: 'count_vowels, 1 KB, 100 connections',
    served: VOWELS,
    traffic: { kind: 'vowels', bytes: 1024 },
    connections: 100,
    contenders: ['plugind', 'go-mutex', 'go-pool'],
  },
  {
    ...base,
    name: 'vowels-100k',
    title: 'count_vowels, 100 KB, 32 connections',
    served: VOWELS,
    traffic: { kind: 'vowels', bytes: 102_400 },
    connections: 32,
    rounds: 3,
    warmLoads: 4,
    quickContenders: ['plugind', 'go-mutex'],
  },
  {
    ...base,
    name: 'vowels-1m',
    title: 'count_vowels, 1 MB, 8 connections',
    served: VOWELS,
    traffic: { kind: 'vowels', bytes: 1_048_576 },
    connections: 8,
    contenders: ['plugind', 'go-mutex', 'go-pool'],
  },
  {
    ...base,
    name: 'echo-1k',
    title: 'echo, 1 KB, 100 connections',
    served: { plugin: 'echo', functionName: 'echo' },
    traffic: { kind: 'unique-echo', bytes: 1024 },
    connections: 100,
    contenders: ['plugind', 'go-mutex', 'plugind-1', 'bare-fastify', 'raw-http', 'go-bare'],
  },
];
