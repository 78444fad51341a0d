/** Calls that take their time: some slow among quick ones, and calls that wait on the host. */

import type { Scenario } from './scenario.ts';
import { SLOW, slowPart } from './slow-calls.ts';

const base = { pace: { kind: 'closed' }, rounds: 2, quickContenders: [] } as const;

export const SLOW_AMONG_QUICK_SCENARIO: Scenario = {
  ...base,
  name: 'slow-among-quick',
  title: '1 % calls of 10 ms among quick ones, 32 connections',
  served: SLOW,
  traffic: {
    kind: 'mixed',
    slowShare: 0.01,
    slow: slowPart('1000'),
    quick: slowPart('1'),
  },
  connections: 32,
  seconds: 0.5,
  contenders: ['plugind', 'plugind-thread-pool', 'go-mutex', 'go-pool'],
};

export const HOST_WAIT_SCENARIO: Scenario = {
  ...base,
  name: 'host-wait',
  title: 'a host function that waits 5 ms, 32 connections',
  served: { plugin: 'wait', functionName: 'wait', hostFunctions: 'wait', poolSize: 8 },
  traffic: { kind: 'fixed', body: '5', answer: '5' },
  connections: 32,
  seconds: 0.5,
  contenders: [
    ...['plugind', 'plugind-thread-pool', 'plugind-suspending-pool'],
    ...['go-mutex', 'go-pool'],
  ],
};
