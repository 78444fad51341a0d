/**
 * `npm run bench`: plugind beside the article's servers and others, one scenario after the other. Writes
 * bench/results/NAME.json and .md, and after a whole run the README's table and the charts.
 * Exit codes: 0 measured, 1 a fault (void figures, a server that fails) or slower than --compare, 2 a wrong
 * command line, 130 cut short by Ctrl-C or SIGTERM, which prints what there is and writes nothing.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CONTENDERS, contenderNamed, ROOT } from './contenders.ts';
import { buildGoPeers, buildNode } from './runner/build.ts';
import { drawCharts } from './runner/charts.ts';
import { compareReports, describeChange } from './runner/compare.ts';
import { reachGoals } from './runner/goals.ts';
import { describeMachine } from './runner/machine.ts';
import { formatReadme, formatResults } from './runner/markdown.ts';
import { type BenchOptions, parseOptions, USAGE } from './runner/options.ts';
import { hasProgram, type Planned, plan } from './runner/plan.ts';
import { createProgressLines } from './runner/progress-lines.ts';
import type { BenchReport, ScenarioReport } from './runner/report.ts';
import { formatReport, parseReport } from './runner/report-schema.ts';
import { rewriteSection } from './runner/rewrite-section.ts';
import { type RunContext, runScenario } from './runner/run-scenario.ts';
import { RunningServers } from './runner/running-servers.ts';
import { SCENARIOS, scenarioNamed } from './scenarios/all-scenarios.ts';

const RESULTS = path.join(ROOT, 'bench/results');
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const TOOLS = ['hey', 'wrk'] as const;
const IMAGES = path.join(ROOT, 'docs/images');

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  let options: ReturnType<typeof parseOptions>;
  let before: BenchReport | null = null;
  try {
    options = parseOptions(argv);
    if (options === 'help' || options === 'list') {
      console.log(options === 'help' ? USAGE : listing());
      return 0;
    }
    // Looked up before anything is built: a wrong name should cost nobody a minute.
    options.scenarios?.forEach(scenarioNamed);
    options.contenders?.forEach(contenderNamed);
    if (options.compareWith !== null) {
      before = parseReport(JSON.parse(readFileSync(options.compareWith, 'utf8')));
    }
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  buildNode();
  const noGo = buildGoPeers(!options.isQuick);
  const planned = plan(options, { noGo, missing: TOOLS.filter((tool) => !hasProgram(tool)) });
  const report = await measureAll(options, planned);
  if (report === null) return 130;
  writeResults(options, report);
  return conclude(report, before);
}

function listing(): string {
  const line = ({ name, title }: { name: string; title: string }): string =>
    `  ${name.padEnd(26)}${title}`;
  return ['scenarios', ...SCENARIOS.map(line), 'contenders', ...CONTENDERS.map(line)].join('\n');
}

/** null: cut short; what there is was printed. */
async function measureAll(options: BenchOptions, planned: Planned): Promise<BenchReport | null> {
  const interrupt = new AbortController();
  // The servers are in groups of their own and would outlive this process.
  for (const signal of ENDING_SIGNALS) process.once(signal, () => interrupt.abort());
  const progress = createProgressLines(planned.measurements, process.stderr);
  for (const line of planned.skipped) progress.note(`skipped: ${line}`);
  const servers = new RunningServers();
  const context: RunContext = {
    ...{ servers, progress },
    signal: interrupt.signal,
    skipped: [...planned.skipped],
    faults: [],
  };
  const scenarios: ScenarioReport[] = [];
  try {
    for (const { scenario, contenders } of planned.scenarios) {
      if (interrupt.signal.aborted) break;
      scenarios.push(await runScenario(scenario, contenders, context));
    }
  } finally {
    await servers.stopAll();
  }
  const report: BenchReport = {
    format: 1,
    date: new Date().toISOString(),
    isQuick: options.isQuick,
    isWhole: options.isWhole,
    machine: describeMachine(),
    skipped: context.skipped,
    faults: context.faults,
    scenarios,
    goals: reachGoals(scenarios),
  };
  console.log(formatResults(report));
  return interrupt.signal.aborted ? null : report;
}

function writeResults({ name, writesReadme }: BenchOptions, report: BenchReport): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(path.join(RESULTS, `${name}.json`), formatReport(report));
  writeFileSync(path.join(RESULTS, `${name}.md`), formatResults(report));
  if (!writesReadme || report.faults.length > 0) return;
  const section = formatReadme(report);
  if (section === null) {
    console.error('README and charts are left as they are: not all that they show was measured');
    return;
  }
  mkdirSync(IMAGES, { recursive: true });
  for (const [file, svg] of drawCharts(report)) writeFileSync(path.join(IMAGES, file), svg);
  const readme = path.join(ROOT, 'README.md');
  const text = readFileSync(readme, 'utf8');
  writeFileSync(readme, rewriteSection(text, section));
}

function conclude(report: BenchReport, before: BenchReport | null): number {
  const changes = before === null ? [] : compareReports(before, report);
  if (before !== null) {
    const isSame =
      before.machine.cpu === report.machine.cpu && before.machine.cpus === report.machine.cpus;
    if (!isSame) console.log(`compared with another machine: ${before.machine.cpu}`);
    for (const change of changes) console.log(describeChange(change));
    if (changes.length === 0) console.log('nothing changed beyond the spread');
  }
  for (const fault of report.faults) console.error(`fault: ${fault}`);
  return report.faults.length > 0 || changes.some(({ isWorse }) => isWorse) ? 1 : 0;
}
