/** A report as Markdown: everything for results/*.md, and the few lines that the README shows. */

import { waitAt } from './lock-wait.ts';
import type {
  BenchReport,
  ContenderReport,
  GoalReport,
  MachineReport,
  Round,
  ScenarioReport,
  Spread,
} from './report.ts';
import { median } from './statistics.ts';

export function formatResults(report: BenchReport): string {
  const parts = [
    `# Bench of ${report.date.slice(0, 10)}${report.isQuick ? ', quick' : ''}`,
    `${describeMachine(report.machine)}; ${describeVersions(report.machine)}.`,
    list('This run fails', report.faults),
    report.goals.length === 0 ? '' : `## Ratios\n\n${goalTable(report.goals)}`,
    ...report.scenarios.map(scenarioPart),
    list('Not measured', report.skipped),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function list(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `## ${title}\n\n${lines.map((line) => `- ${line}`).join('\n')}`;
}

export function describeMachine({ cpu, cpus, memoryBytes, system }: MachineReport): string {
  return `${cpu}, ${cpus} CPUs shared with the client, ${Math.round(memoryBytes / 2 ** 30)} GiB, ${system}`;
}

function describeVersions({ node, go, packages, commit }: MachineReport): string {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return [`Node ${node}`, go, ...versions, commit === null ? null : `commit ${commit}`]
    .filter((part) => part !== null)
    .join(', ');
}

export function goalTable(goals: readonly GoalReport[]): string {
  const rows = goals.map(({ what, bound, wanted, ratio, isReached }) => {
    const verdict = isReached === null ? 'not measured' : isReached ? 'reached' : 'NOT reached';
    return [what, `${bound} ${wanted}x`, ratio === null ? '-' : `${formatRatio(ratio)}x`, verdict];
  });
  return table(['ratio of medians', 'wanted', 'measured', ''], rows);
}

function scenarioPart(scenario: ScenarioReport): string {
  const rows = scenario.contenders.map((contender) => [
    contender.title,
    ...figureCells(contender),
    extraCell(contender, scenario.tool),
  ]);
  const header = [
    'server',
    'req/s (lowest..highest)',
    'p50 ms',
    'p99 ms',
    'CPU us/request',
    'peak MiB',
    '',
  ];
  const tool = scenario.tool === 'plugind-load' ? '' : ', which looks at no body';
  return `## ${scenario.title}${tool} (\`${scenario.name}\`)\n\n${table(header, rows)}`;
}

function figureCells(contender: ContenderReport): string[] {
  const { requestsPerSecond, p50Us, p99Us, cpuUsPerRequest, peakRssBytes } = contender;
  const ms = (us: number): string => formatMs(us);
  return [
    withRange(requestsPerSecond, formatCount),
    p50Us === null ? '-' : ms(p50Us.median),
    withRange(p99Us, ms),
    cpuUsPerRequest === null ? '-' : formatRatio(cpuUsPerRequest.median),
    peakRssBytes === null ? '-' : formatCount(peakRssBytes / 2 ** 20),
  ];
}

/** What does not fit a column: wrong answers, refusals, waits. */
function extraCell(
  { isUnsafe, deaths, rounds, lockWait, ...contender }: ContenderReport,
  tool: ScenarioReport['tool'],
): string {
  const total = (key: 'ok' | 'wrong' | 'refused' | 'failed'): number =>
    rounds.reduce((sum, round) => sum + round[key], 0);
  const medianMs = (key: 'refusedP99Us' | 'quickP99Us' | 'clientLateP99Us'): string =>
    formatMs(median(rounds.flatMap((round: Round) => round[key] ?? [])));
  const has = (key: 'refusedP99Us' | 'quickP99Us' | 'clientLateP99Us' | 'rate'): boolean =>
    rounds.some((round) => round[key] !== null);
  const all = total('ok') + total('wrong') + total('refused') + total('failed');
  return [
    contender.void === null ? '' : `VOID: ${contender.void}`,
    has('rate') ? `${formatCount(median(rounds.flatMap(({ rate }) => rate ?? [])))}/s sent` : '',
    has('clientLateP99Us') ? `client late p99 ${medianMs('clientLateP99Us')} ms` : '',
    tool === 'plugind-load' && (isUnsafe || total('wrong') > 0)
      ? `${formatCount(total('wrong'))} wrong of ${formatCount(all)}`
      : '',
    total('failed') > 0 ? `${formatCount(total('failed'))} failed` : '',
    total('refused') > 0 ? `${formatCount(total('refused'))} refused` : '',
    has('refusedP99Us') ? `refused within p99 ${medianMs('refusedP99Us')} ms` : '',
    has('quickP99Us') ? `quick ones p99 ${medianMs('quickP99Us')} ms` : '',
    deaths > 0 ? `died ${deaths} times` : '',
    lockWait === null ? '' : lockWaitText(lockWait.client, lockWait.server),
  ]
    .filter((text) => text !== '')
    .join('; ');
}

function lockWaitText(
  client: readonly (readonly [number, number])[],
  server: readonly (readonly [number, number])[],
): string {
  const parts = [0.5, 0.99].map((share) => {
    const [seen, counted] = [waitAt(client, share), waitAt(server, share)];
    return `p${share * 100} client ${formatMs(seen ?? Number.NaN)} ms, server up to ${formatMs(counted ?? Number.NaN)} ms`;
  });
  return `lock wait ${parts.join('; ')}`;
}

/** Rows of the README's table, and the scenario that each is from. */
const README_ROWS: readonly (readonly [name: string, scenario: string])[] = [
  ['plugind', 'hello-100'],
  ['plugind-fresh', 'fresh'],
  ['go-mutex', 'hello-100'],
  ['go-pool', 'hello-100'],
  ['go-instance-per-request', 'fresh'],
  ['promise-mutex', 'hello-100'],
];

/** All four in one paragraph, two a line. */
const CHARTS = [
  ['throughput', 'requests a second'],
  ['latency', 'latency by percentile at a fixed rate'],
  ['lock-wait', 'how long requests waited for the lock'],
  ['scaling', 'requests a second by workers'],
] as const;

/** No more lines than the README has room for; null when some of what it shows was not measured. */
export function formatReadme(report: BenchReport): string | null {
  const find = (scenario: string, name: string): ContenderReport | undefined =>
    report.scenarios
      .find((candidate) => candidate.name === scenario)
      ?.contenders.find((candidate) => candidate.name === name);
  const rows = README_ROWS.flatMap(([name, scenario]) => {
    const hello = find(scenario, name);
    if (hello === undefined || hello.requestsPerSecond === null) return [];
    const [byWrk, vowels] = ['hello-wrk', 'vowels-100k'].map(
      (other) => find(other, name)?.requestsPerSecond ?? null,
    );
    const shown = (spread: Spread | null | undefined): string =>
      spread == null ? '-' : formatCount(spread.median);
    return [
      [
        hello.title,
        withRange(hello.requestsPerSecond, formatCount),
        scenario === 'hello-100' ? shown(byWrk) : '-',
        hello.p99Us === null ? '-' : formatMs(hello.p99Us.median),
        hello.cpuUsPerRequest === null ? '-' : formatRatio(hello.cpuUsPerRequest.median),
        hello.peakRssBytes === null ? '-' : formatCount(hello.peakRssBytes / 2 ** 20),
        shown(vowels),
      ],
    ];
  });
  if (rows.length < README_ROWS.length) return null;
  const bare = find('hello-100', 'bare-fastify-cluster')?.requestsPerSecond ?? null;
  const intro = [
    `${describeMachine(report.machine)}, Node ${report.machine.node}, ${report.date.slice(0, 10)}: 100 connections,`,
    '8-byte bodies, each checked (not by wrk, which is cheaper); 32 connections for 100 KB.',
    bare === null
      ? ''
      : `Fastify without a plugin, as many processes: ${formatCount(bare.median)}.`,
    '[All figures](bench/results/latest.md), [method](bench/NOTES.md).',
    ...CHARTS.map(
      ([name, alt]) => `<img src="docs/images/bench-${name}.svg" width="49%" alt="${alt}">`,
    ),
  ];
  const header = [
    ...['server', 'hello req/s', 'by wrk', 'p99 ms', 'CPU us', 'peak MiB'],
    '100 KB vowels req/s',
  ];
  return `${intro.filter((part) => part !== '').join(' ')}\n\n${table(header, rows)}`;
}

function withRange(spread: Spread | null, format: (value: number) => string): string {
  if (spread === null) return '-';
  return `${format(spread.median)} (${format(spread.min)}..${format(spread.max)})`;
}

/** Aligned, as the formatter of Markdown would have it. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join(
    '\n',
  );
}

function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Three digits are as many as the noise leaves. */
function formatRatio(value: number): string {
  return value >= 100 ? formatCount(value) : value.toPrecision(3);
}

function formatMs(us: number): string {
  if (Number.isNaN(us)) return '-';
  return us >= 100_000 ? formatCount(us / 1000) : (us / 1000).toPrecision(3);
}
