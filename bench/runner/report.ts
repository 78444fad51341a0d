/** What a run of the bench found: bench/results/*.json. The schema in results/schema.json says the same. */

import type { LoadResult } from '../load/load-result.ts';

/** Over the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One measured load on one contender. Durations in microseconds. */
export interface Round {
  /** Right answers a second. */
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Of refused requests; null: none was, or the tool does not say. */
  readonly refusedP99Us: number | null;
  /** Of the quick ones of a mix, else null. */
  readonly quickP99Us: number | null;
  /** Open loop: how late the client itself was. */
  readonly clientLateP99Us: number | null;
  /** Requests a second that were asked for; null in a closed loop. */
  readonly rate: number | null;
  readonly ok: number;
  readonly wrong: number;
  readonly refused: number;
  readonly failed: number;
  /** User and system time of all processes of the server; null where the system does not say. */
  readonly cpuUsPerRequest: number | null;
  /** Complete answers that the client saw, warm-up included. */
  readonly answered: number;
  /** What the server counted meanwhile; null: it does not count. */
  readonly counted: number | null;
  /** [percentile, microseconds]. */
  readonly percentiles: readonly (readonly [number, number])[];
}

/** The wait before the lock as the client sees it (latency less that of one connection) and as the server says. */
export interface LockWait {
  /** [share of requests 0..1, microseconds]. */
  readonly client: readonly (readonly [number, number])[];
  /** [share of requests 0..1, upper bound of the bucket in microseconds]. */
  readonly server: readonly (readonly [number, number])[];
}

export interface ContenderReport {
  readonly name: string;
  readonly title: string;
  readonly isUnsafe: boolean;
  /** Why its figures count for nothing; null: they count. */
  readonly void: string | null;
  /** Times that it died under load and was started again. */
  readonly deaths: number;
  readonly rounds: readonly Round[];
  /** null when void. */
  readonly requestsPerSecond: Spread | null;
  readonly p50Us: Spread | null;
  readonly p99Us: Spread | null;
  readonly cpuUsPerRequest: Spread | null;
  /** Sum over the processes of the most memory that each had in RAM. */
  readonly peakRssBytes: number | null;
  readonly lockWait: LockWait | null;
}

export interface ScenarioReport {
  readonly name: string;
  readonly title: string;
  readonly tool: LoadResult['tool'];
  readonly pace: 'closed' | 'slowest' | 'own';
  readonly connections: number;
  readonly contenders: readonly ContenderReport[];
}

/** A ratio worth naming, with what it should be. */
export interface GoalReport {
  readonly what: string;
  readonly scenario: string;
  readonly figure: 'requestsPerSecond' | 'p99Us';
  readonly of: string;
  readonly over: string;
  readonly bound: 'at least' | 'at most';
  readonly wanted: number;
  /** null: one of the two was not measured. */
  readonly ratio: number | null;
  readonly isReached: boolean | null;
}

export interface MachineReport {
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  readonly go: string | null;
  /** Name -> version, of what is measured. */
  readonly packages: Readonly<Record<string, string>>;
  readonly commit: string | null;
}

export interface BenchReport {
  readonly format: 1;
  /** ISO 8601. */
  readonly date: string;
  readonly isQuick: boolean;
  /** False: some scenario or contender was left out by the command line. */
  readonly isWhole: boolean;
  readonly machine: MachineReport;
  /** Plain lines: what was not measured, and why. */
  readonly skipped: readonly string[];
  /** Plain lines: what makes this run fail. */
  readonly faults: readonly string[];
  readonly scenarios: readonly ScenarioReport[];
  readonly goals: readonly GoalReport[];
}
