/**
 * One scenario: its contenders, each a process of its own, are started or still up, warmed, and measured in
 * interleaved rounds whose order is new each time.
 */
import type { Contender } from '../contenders.ts';
import { bodyBytes } from '../load/request-source.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { type Found, judgeRounds } from './judge-rounds.ts';
import { clientWaits } from './lock-wait.ts';
import { type Changes, type Measured, measure } from './measure.ts';
import { resetPeakRss } from './process-usage.ts';
import type { ProgressLines } from './progress-lines.ts';
import type { LockWait, Round, ScenarioReport } from './report.ts';
import type { RunningServers } from './running-servers.ts';
import { lockWaitShares } from './server-counters.ts';
import { NotHere, type RunningContender } from './start-contender.ts';
import { shuffled } from './statistics.ts';

/** One load before the rounds, or one of them if that is shorter. */
const PROBE_SECONDS = 1;
/** Before each round of a client that has no warm-up of its own. */
const WAKE_SECONDS = 0.5;
/**
 * V8 begins to compile what is hot after some hundred requests and goes on for tens of thousands: two
 * workers of plugind made 3,000 requests in their first second, 12,000 in the third, 18,000 in the eighth.
 */
const WARM_REQUESTS = 60_000;
const DEFAULT_WARM_LOADS = 2;
/** For Go, which compiles before it starts, and a server that was warmed up for such bodies already. */
const LEAST_WARM_LOADS = 1;

export interface RunContext {
  readonly servers: RunningServers;
  readonly progress: ProgressLines;
  readonly signal: AbortSignal;
  /** Plain lines: what was left out, and why. */
  readonly skipped: string[];
  /** Plain lines: what makes the run fail. */
  readonly faults: string[];
}

interface Entry {
  readonly contender: Contender;
  running: RunningContender;
  /** For each request a second of its own or of all. */
  changes: Changes;
  /** p50 of one connection, in microseconds; null: not asked for. */
  aloneUs: number | null;
  readonly rounds: Round[];
  readonly sent: number[];
  deaths: number;
  peakRssBytes: number | null;
  lockWait: LockWait | null;
}

export async function runScenario(
  scenario: Scenario,
  contenders: readonly Contender[],
  context: RunContext,
): Promise<ScenarioReport> {
  await context.servers.makeRoomFor(scenario);
  // All at once, since a start is as much waiting as work.
  const started = await Promise.all(
    contenders.map((contender) => startEntry(scenario, contender, context)),
  );
  const entries = started.filter((entry) => entry !== null);
  await probeAll(scenario, entries, context);
  for (let round = 1; round <= scenario.rounds; round++) {
    for (const entry of shuffled(entries)) {
      if (!context.signal.aborted) await measureEntry(scenario, entry, round, context);
    }
  }
  const reports = entries.map((entry) => judgeRounds(entry.contender, entry satisfies Found));
  for (const report of reports) {
    if (report.void !== null && !context.signal.aborted) {
      context.faults.push(`${scenario.name}: ${report.name} is void: ${report.void}`);
    }
  }
  return {
    name: scenario.name,
    title: scenario.title,
    tool: scenario.tool?.name ?? 'plugind-load',
    pace: scenario.pace.kind,
    connections: scenario.connections,
    contenders: reports,
  };
}

async function startEntry(
  scenario: Scenario,
  contender: Contender,
  context: RunContext,
): Promise<Entry | null> {
  try {
    const running = await context.servers.get(contender, scenario);
    resetPeakRss(running.pid);
    return {
      ...{ contender, running, changes: {}, aloneUs: null, rounds: [], sent: [], deaths: 0 },
      ...{ peakRssBytes: null, lockWait: null },
    };
  } catch (error) {
    const line = `${scenario.name}: ${contender.name}: ${error instanceof Error ? error.message : String(error)}`;
    const isSkipped = error instanceof NotHere;
    (isSkipped ? context.skipped : context.faults).push(line);
    context.progress.note(`${isSkipped ? 'skipped' : 'fault'}: ${line}`);
    return null;
  }
}

/**
 * Loads on each before the rounds begin, for compilers to warm up. They tell what a fixed rate is a
 * share of, and what a request waits that is alone. The article's tool gets the servers cold, as there.
 */
async function probeAll(
  scenario: Scenario,
  entries: readonly Entry[],
  context: RunContext,
): Promise<void> {
  if (scenario.tool?.name === 'hey') return;
  const { pace } = scenario;
  const capacities: number[] = [];
  for (const entry of entries) {
    // More would only queue up, or be refused where the queue is short.
    const connections = Math.min(100, scenario.connections);
    capacities.push(await warmUp(scenario, entry, connections, context));
    if (scenario.comparesLockWait !== true) continue;
    const alone = await probe(scenario, entry, { connections: 1 }, context);
    entry.aloneUs = alone.round.p50Us;
  }
  if (pace.kind === 'closed') return;
  const slowest = Math.min(...capacities);
  for (const [index, entry] of entries.entries()) {
    const capacity = pace.kind === 'own' ? (capacities[index] ?? slowest) : slowest;
    entry.changes = { rate: capacity * pace.share };
  }
}

/** Loads it until its compiler had enough to see. Resolves to the best rate. */
async function warmUp(
  scenario: Scenario,
  entry: Entry,
  connections: number,
  context: RunContext,
): Promise<number> {
  const { warmFor } = entry.running;
  // 100 KB are not what 1 KB was.
  const size = Math.ceil(Math.log10(Math.max(bodyBytes(scenario.traffic), 10)));
  const isWarm = entry.contender.family === 'go' || warmFor.has(size);
  const mostLoads = isWarm ? LEAST_WARM_LOADS : (scenario.warmLoads ?? DEFAULT_WARM_LOADS);
  warmFor.add(size);
  let best = 0;
  let answered = 0;
  for (let load = 0; load < mostLoads && answered < WARM_REQUESTS; load++) {
    const { round } = await probe(scenario, entry, { connections }, context);
    best = Math.max(best, round.requestsPerSecond);
    answered += round.answered;
  }
  return best;
}

function probe(
  scenario: Scenario,
  { running }: Entry,
  changes: Changes,
  { progress, signal }: RunContext,
): Promise<Measured> {
  const watch = { onProgress: progress.live, signal };
  progress.begin(`${scenario.name}  warm-up  ${running.contender.name}`);
  const seconds = Math.min(PROBE_SECONDS, scenario.seconds);
  return measure(running, scenario, { ...changes, seconds, warmUpMs: 0 }, watch);
}

async function measureEntry(
  scenario: Scenario,
  entry: Entry,
  round: number,
  context: RunContext,
): Promise<void> {
  const { progress, signal } = context;
  progress.begin(`${scenario.name}  ${round}/${scenario.rounds}  ${entry.contender.name}`);
  const watch = { onProgress: progress.live, signal };
  // What a server lost while it was idle: some kernels take the pages of its program's file back.
  if (scenario.tool?.name === 'wrk') {
    const { tool, ...own } = scenario;
    await measure(entry.running, own, { seconds: WAKE_SECONDS }, watch);
  }
  const measured = await measure(entry.running, scenario, entry.changes, watch);
  // What was cut short is no round of the others' length.
  if (signal.aborted) return;
  entry.rounds.push(measured.round);
  entry.sent.push(measured.result.total.sent);
  entry.peakRssBytes = Math.max(entry.peakRssBytes ?? 0, measured.peakRssBytes ?? 0) || null;
  if (entry.aloneUs !== null && measured.counters !== null) {
    const { before, after } = measured.counters;
    const client = clientWaits(measured.round.percentiles, entry.aloneUs);
    entry.lockWait = { client, server: lockWaitShares(before, after) };
  }
  progress.end(measured.round);
  if (entry.running.isAlive()) return;
  entry.deaths++;
  entry.running = await context.servers.restart(entry.contender, scenario);
}
