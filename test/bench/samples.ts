/** Reports as a run would write them, for tests of what is made of them. */
import type {
  BenchReport,
  ContenderReport,
  Round,
  ScenarioReport,
} from '../../bench/runner/report.ts';
import { spreadOf } from '../../bench/runner/statistics.ts';

export function sampleRound(changes: Partial<Round> = {}): Round {
  return {
    requestsPerSecond: 1000,
    p50Us: 500,
    p99Us: 2000,
    refusedP99Us: null,
    quickP99Us: null,
    clientLateP99Us: null,
    rate: null,
    ok: 1000,
    wrong: 0,
    refused: 0,
    failed: 0,
    cpuUsPerRequest: 80,
    answered: 1300,
    counted: 1300,
    percentiles: [
      [0, 100],
      [50, 500],
      [90, 900],
      [99, 2000],
      [100, 4000],
    ],
    ...changes,
  };
}

export function sampleContender(
  name: string,
  rates: readonly number[],
  changes: Partial<ContenderReport> = {},
): ContenderReport {
  const rounds = rates.map((requestsPerSecond) => sampleRound({ requestsPerSecond }));
  return {
    name,
    title: `title of ${name}`,
    isUnsafe: false,
    void: null,
    deaths: 0,
    rounds,
    requestsPerSecond: spreadOf(rates),
    p50Us: spreadOf([500]),
    p99Us: spreadOf([2000]),
    cpuUsPerRequest: spreadOf([80]),
    peakRssBytes: 100 * 2 ** 20,
    lockWait: null,
    ...changes,
  };
}

export function sampleScenario(
  name: string,
  contenders: readonly ContenderReport[],
  changes: Partial<ScenarioReport> = {},
): ScenarioReport {
  return {
    ...{ name, title: `title of ${name}`, tool: 'plugind-load', pace: 'closed', connections: 100 },
    contenders,
    ...changes,
  };
}

export function sampleReport(
  scenarios: readonly ScenarioReport[],
  changes: Partial<BenchReport> = {},
): BenchReport {
  return {
    format: 1,
    date: '2026-01-02T03:04:05.000Z',
    isQuick: false,
    isWhole: true,
    machine: {
      ...{ cpu: 'A CPU <fast> & cheap', cpus: 2, memoryBytes: 8 * 2 ** 30, system: 'Linux 6 x64' },
      ...{ node: 'v20.19.0', go: null, packages: { plugind: '0.1.0' }, commit: 'abc' },
    },
    skipped: [],
    faults: [],
    scenarios,
    goals: [],
    ...changes,
  };
}
