/** Calls of half a millisecond behind one lock: the wait is most of the latency, so a client can tell it. */
import type { Scenario } from './scenario.ts';
import { SLOW, slowPart } from './slow-calls.ts';

const { body, answer } = slowPart('50');

export const LOCK_WAIT_SCENARIO: Scenario = {
  name: 'lock-wait',
  title: 'calls of 0.5 ms behind one lock, 32 connections',
  served: SLOW,
  traffic: { kind: 'fixed', body, answer },
  connections: 32,
  pace: { kind: 'closed' },
  seconds: 0.6,
  rounds: 3,
  contenders: ['plugind-1'],
  quickContenders: ['plugind-1'],
  comparesLockWait: true,
};
