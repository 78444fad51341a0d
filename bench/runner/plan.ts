/** Which scenarios and contenders a run measures, and what it leaves out and why. */
import { spawnSync } from 'node:child_process';
import { type Contender, contenderNamed } from '../contenders.ts';
import { SCENARIOS } from '../scenarios/all-scenarios.ts';
import type { Scenario, Tool } from '../scenarios/scenario.ts';
import type { BenchOptions } from './options.ts';

/** Rounds and seconds of every scenario of a quick run. */
const QUICK_ROUNDS = 3;
const QUICK_SECONDS = 0.2;
const QUICK_WARM_LOADS = 4;

export interface Present {
  /** Why there are no Go peers; null: there are. */
  readonly noGo: string | null;
  /** Load programs that scenarios ask for and that are not installed. */
  readonly missing: readonly Tool['name'][];
}

export interface Planned {
  readonly scenarios: readonly {
    readonly scenario: Scenario;
    readonly contenders: readonly Contender[];
  }[];
  /** Plain lines. */
  readonly skipped: readonly string[];
  readonly measurements: number;
}

export function hasProgram(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** A scenario that is asked for by name is measured with all its contenders, quick or not. */
export function plan(options: BenchOptions, { noGo, missing }: Present): Planned {
  const skipped: string[] = [];
  if (noGo !== null) skipped.push(`every Go server: ${noGo}`);
  const chosen = SCENARIOS.filter(({ name, quickContenders }) =>
    options.scenarios === null
      ? !options.isQuick || quickContenders.length > 0
      : options.scenarios.includes(name),
  );
  const scenarios = chosen.flatMap((scenario) => {
    const tool = missing.find((name) => name === scenario.tool?.name);
    if (tool !== undefined) {
      skipped.push(`${scenario.name}: ${tool} is not installed`);
      return [];
    }
    const contenders = contendersOf(scenario, options).filter(
      ({ family }) => noGo === null || family !== 'go',
    );
    return contenders.length === 0 ? [] : [{ scenario: adjusted(scenario, options), contenders }];
  });
  if (options.isQuick && options.scenarios === null) {
    const left = SCENARIOS.filter((scenario) => !chosen.includes(scenario)).map(({ name }) => name);
    skipped.push(`by --quick: ${left.join(', ')}`);
  }
  const measurements = scenarios.reduce(
    (sum, { scenario, contenders }) => sum + scenario.rounds * contenders.length,
    0,
  );
  return { scenarios, skipped, measurements };
}

function contendersOf(scenario: Scenario, options: BenchOptions): Contender[] {
  const isShort = options.isQuick && options.scenarios === null && options.contenders === null;
  const names = isShort ? scenario.quickContenders : scenario.contenders;
  const { contenders: wanted } = options;
  return names.filter((name) => wanted === null || wanted.includes(name)).map(contenderNamed);
}

function adjusted(scenario: Scenario, { isQuick, rounds, seconds }: BenchOptions): Scenario {
  const quickRounds = Math.min(QUICK_ROUNDS, scenario.rounds);
  return {
    ...scenario,
    rounds: rounds ?? (isQuick ? quickRounds : scenario.rounds),
    ...(isQuick && {
      warmLoads: Math.min(scenario.warmLoads ?? QUICK_WARM_LOADS, QUICK_WARM_LOADS),
    }),
    seconds: seconds ?? (isQuick && scenario.tool === undefined ? QUICK_SECONDS : scenario.seconds),
  };
}
