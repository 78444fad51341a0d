/**
 * Fixed rates, where latency counts from the moment a request was due: half of what the slowest can do,
 * for honest latencies side by side, and twice of what each can do, for how it refuses.
 */
import { HELLO } from './hello.ts';
import type { Scenario } from './scenario.ts';
import { SLOW, slowPart } from './slow-calls.ts';

export const FIXED_RATE_SCENARIO: Scenario = {
  name: 'fixed-rate',
  title: 'hello, half of the slowest one’s capacity, 100 connections',
  served: HELLO,
  traffic: { kind: 'unique-hello' },
  connections: 100,
  pace: { kind: 'slowest', share: 0.5 },
  seconds: 1,
  rounds: 3,
  warmLoads: 3,
  contenders: ['plugind', 'go-mutex', 'go-pool'],
  quickContenders: [],
};

export const OVERLOAD_SCENARIO: Scenario = {
  name: 'overload',
  title: 'calls of 1 ms at twice the own capacity, a queue of 64 a worker',
  served: { ...SLOW, queueMax: 64 },
  traffic: { kind: 'fixed', ...bodyAndAnswer() },
  connections: 512,
  pace: { kind: 'own', share: 2 },
  seconds: 1,
  rounds: 2,
  contenders: ['plugind', 'go-mutex'],
  quickContenders: [],
};

function bodyAndAnswer(): { body: string | Uint8Array; answer: string | Uint8Array } {
  const { body, answer } = slowPart('100');
  return { body, answer };
}
