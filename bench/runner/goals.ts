/** The ratios that the bench exists to show, each with what it should be on an otherwise idle machine. */
import type { GoalReport, ScenarioReport } from './report.ts';

type Goal = Omit<GoalReport, 'ratio' | 'isReached'>;

function faster(
  scenario: string,
  what: string,
  over: string,
  wanted: number,
  of = 'plugind',
): Goal {
  return { what, scenario, figure: 'requestsPerSecond', of, over, bound: 'at least', wanted };
}

function quicker(scenario: string, what: string): Goal {
  const names = { of: 'plugind', over: 'go-mutex' };
  return { what, scenario, figure: 'p99Us', ...names, bound: 'at most', wanted: 1 };
}

export const GOALS: readonly Goal[] = [
  ...(['hello-wrk', 'hello-100'] as const).flatMap((scenario) => {
    const hello = scenario === 'hello-wrk' ? 'hello' : 'hello, every body checked';
    return [
      faster(scenario, `${hello}: plugind / Go mutex (article 3)`, 'go-mutex', 3),
      faster(scenario, `${hello}: plugind / best Go pool`, 'go-pool', 2),
      faster(scenario, `${hello}: plugind / Fastify + SDK + mutex, 1 process`, 'promise-mutex', 3),
      faster(
        scenario,
        `${hello}: plugind / bare Fastify, as many processes`,
        'bare-fastify-cluster',
        0.85,
      ),
    ];
  }),
  faster('vowels-100k', '100 KB vowels: plugind / Go mutex (article 3)', 'go-mutex', 5),
  faster('vowels-100k', '100 KB vowels: plugind / best Go pool', 'go-pool', 2.2),
  ...(['fresh', 'fresh-rust'] as const).flatMap((scenario) => {
    const fresh = scenario === 'fresh' ? 'fresh' : 'fresh, in Rust';
    return [
      faster(
        scenario,
        `${fresh}: plugind / Go, an instance a request (article 2)`,
        'go-instance-per-request',
        200,
        'plugind-fresh',
      ),
      faster(
        scenario,
        `${fresh}: plugind / Go, compiled once`,
        'go-compiled-once',
        6,
        'plugind-fresh',
      ),
      faster(
        scenario,
        `${fresh}, 1 worker / Node, an instance a request`,
        'instance-per-request',
        8,
        'plugind-1-fresh',
      ),
    ];
  }),
  faster('fresh', 'fresh, 1 worker / shared', 'plugind-1', 0.45, 'plugind-1-fresh'),
  faster(
    'hello-wrk',
    'hello, 1 worker / bare Fastify, 1 process',
    'bare-fastify',
    0.85,
    'plugind-1',
  ),
  quicker('fixed-rate', 'p99 at half of the slowest one’s capacity: plugind / Go mutex'),
  quicker('hello-100', 'p99 of hello, closed loop: plugind / Go mutex'),
];

/** Those whose scenario was measured, by the medians. */
export function reachGoals(scenarios: readonly ScenarioReport[]): GoalReport[] {
  return GOALS.filter((goal) => scenarios.some(({ name }) => name === goal.scenario)).map(
    (goal) => {
      const [of, over] = [medianOf(scenarios, goal, goal.of), medianOf(scenarios, goal, goal.over)];
      if (of === null || over === null || over === 0) {
        return { ...goal, ratio: null, isReached: null };
      }
      const ratio = of / over;
      const isReached = goal.bound === 'at least' ? ratio >= goal.wanted : ratio <= goal.wanted;
      return { ...goal, ratio, isReached };
    },
  );
}

function medianOf(scenarios: readonly ScenarioReport[], goal: Goal, name: string): number | null {
  const contenders = scenarios.find((scenario) => scenario.name === goal.scenario)?.contenders;
  return contenders?.find((contender) => contender.name === name)?.[goal.figure]?.median ?? null;
}
