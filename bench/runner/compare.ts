/** Two results held against each other: what got slower or quicker by more than both runs' spread. */
import type { BenchReport, ContenderReport, ScenarioReport } from './report.ts';
import { isWorse } from './statistics.ts';

/** Fewer rounds have no spread to go by. */
const LEAST_ROUNDS = 3;

export interface Change {
  readonly scenario: string;
  readonly contender: string;
  readonly figure: 'requestsPerSecond' | 'p99Us';
  readonly before: number;
  readonly after: number;
  readonly isWorse: boolean;
}

/** What both have. Throughput where the loop is closed, p99 where the rate is fixed. */
export function compareReports(before: BenchReport, after: BenchReport): readonly Change[] {
  return after.scenarios.flatMap((scenario) => {
    const old = before.scenarios.find(({ name }) => name === scenario.name);
    return scenario.contenders.flatMap((contender) => {
      const was = old?.contenders.find(({ name }) => name === contender.name);
      return was === undefined || contender.isUnsafe ? [] : changeOf(scenario, was, contender);
    });
  });
}

function changeOf(
  scenario: ScenarioReport,
  was: ContenderReport,
  is: ContenderReport,
): readonly Change[] {
  const figure = scenario.pace === 'slowest' ? 'p99Us' : 'requestsPerSecond';
  const better = figure === 'p99Us' ? 'lower' : 'higher';
  const [before, after] = [was[figure], is[figure]];
  if (before === null || after === null) return [];
  if (Math.min(was.rounds.length, is.rounds.length) < LEAST_ROUNDS) return [];
  const got = isWorse(before, after, better);
  if (!got && !isWorse(after, before, better)) return [];
  return [
    {
      ...{ scenario: scenario.name, contender: is.name, figure },
      ...{ before: before.median, after: after.median, isWorse: got },
    },
  ];
}

export function describeChange({
  scenario,
  contender,
  figure,
  before,
  after,
  ...change
}: Change): string {
  const times = figure === 'p99Us' ? before / after : after / before;
  const unit = figure === 'p99Us' ? 'us p99' : 'req/s';
  const word = change.isWorse ? 'SLOWER' : 'faster';
  return `${word}  ${scenario}  ${contender}: ${Math.round(before)} -> ${Math.round(after)} ${unit} (${times.toFixed(2)}x)`;
}
