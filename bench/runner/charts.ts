/** The README's charts, from a report. A chart whose scenario was not measured is left out. */
import type { BenchReport, ContenderReport, Round, ScenarioReport } from './report.ts';
import { type Axis, barChart, type Line, lineChart } from './svg.ts';

/** File name below docs/images -> SVG. */
export function drawCharts(report: BenchReport): ReadonlyMap<string, string> {
  const charts: readonly (readonly [
    string,
    string,
    (scenario: ScenarioReport) => string | null,
  ])[] = [
    ['bench-throughput.svg', 'hello-100', drawThroughput],
    ['bench-latency.svg', 'fixed-rate', drawLatency],
    ['bench-lock-wait.svg', 'lock-wait', drawLockWait],
    ['bench-scaling.svg', 'scale', drawScaling],
  ];
  return new Map(
    charts.flatMap(([file, name, draw]) => {
      const scenario = report.scenarios.find((candidate) => candidate.name === name);
      const svg = scenario === undefined ? null : draw(scenario);
      return svg === null ? [] : [[file, svg] as const];
    }),
  );
}

function drawThroughput({ title, contenders }: ScenarioReport): string | null {
  const bars = contenders.flatMap(({ name, title: label, requestsPerSecond }) => {
    if (requestsPerSecond === null) return [];
    const { median, min, max } = requestsPerSecond;
    return [{ label, value: median, low: min, high: max, isOurs: name.startsWith('plugind') }];
  });
  if (bars.length === 0) return null;
  const sorted = bars.sort((a, b) => b.value - a.value);
  return barChart(title, 'requests a second, median; the line spans all rounds', sorted);
}

/** 99.9 is drawn at 3: a decade a step, as operators read percentiles. */
function drawLatency({ title, contenders }: ScenarioReport): string | null {
  const lines = contenders.flatMap((contender): Line[] => {
    const typical = medianRound(contender);
    if (typical === null) return [];
    const points = typical.percentiles
      .filter(([percentile]) => percentile < 100)
      .map(([percentile, us]) => [1 / (1 - percentile / 100), us / 1000] as const);
    return [{ label: shortTitle(contender), points }];
  });
  if (lines.length === 0) return null;
  const x: Axis = {
    title: 'percentile of requests',
    isLog: true,
    ticks: [
      [1, '0'],
      [2, '50'],
      [10, '90'],
      [100, '99'],
      [1000, '99.9'],
      [10_000, '99.99'],
    ],
  };
  const y = logAxis('ms', lines);
  return lineChart(title, x, y, lines);
}

/** The round whose p99 is in the middle. */
function medianRound({ rounds, void: reason }: ContenderReport): Round | null {
  if (reason !== null) return null;
  const sorted = rounds.filter(({ ok }) => ok > 0).sort((a, b) => a.p99Us - b.p99Us);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

function drawLockWait({ title, contenders }: ScenarioReport): string | null {
  const lockWait = contenders.find((contender) => contender.lockWait !== null)?.lockWait;
  if (lockWait === null || lockWait === undefined) return null;
  const swap = (points: readonly (readonly [number, number])[]): (readonly [number, number])[] =>
    points.map(([share, us]) => [Math.max(us, 1) / 1000, share * 100] as const);
  const lines = [
    { label: 'server, by its histogram', points: swap(lockWait.server), isStepped: true },
    { label: 'client, by its latency', points: swap(lockWait.client) },
  ];
  const x: Axis = {
    title: 'wait for the lock, ms',
    isLog: true,
    ticks: [0.01, 0.1, 1, 10, 100, 1000].map((ms) => [ms, String(ms)] as const),
  };
  const y: Axis = {
    title: '% of requests that waited no longer',
    isLog: false,
    ticks: [0, 25, 50, 75, 100].map((share) => [share, String(share)] as const),
  };
  return lineChart(title, x, y, lines);
}

function drawScaling({ title, contenders }: ScenarioReport): string | null {
  const bars = contenders.flatMap(({ title: label, requestsPerSecond }) => {
    if (requestsPerSecond === null) return [];
    const { median, min, max } = requestsPerSecond;
    return [{ label, value: median, low: min, high: max, isOurs: true }];
  });
  return bars.length === 0
    ? null
    : barChart(title, 'requests a second; the client needs a CPU too', bars);
}

/** Decades around everything that is drawn. */
function logAxis(title: string, lines: readonly Line[]): Axis {
  const values = lines.flatMap(({ points }) => points.map(([, y]) => y)).filter((y) => y > 0);
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const decades = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
  return {
    title,
    isLog: true,
    ticks: decades.map((value) => [value, formatDecade(value)] as const),
  };
}

function formatDecade(value: number): string {
  return value >= 1 ? value.toLocaleString('en-US') : String(Number(value.toPrecision(1)));
}

function shortTitle({ title }: ContenderReport): string {
  return title.replace('Node: Fastify + SDK + promise mutex, 1 process', 'Node: promise mutex');
}
