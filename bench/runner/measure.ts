/** One load on one running server, with what the system and the server itself say about it. */
import type { LoadOptions } from '../load/load-options.ts';
import type { LoadResult, Progress } from '../load/load-result.ts';
import type { Scenario, Tool } from '../scenarios/scenario.ts';
import { runHey, runLoad, runWrk } from './load-client.ts';
import { readUsage } from './process-usage.ts';
import type { Round } from './report.ts';
import { type ServerCounters, scrapeCounters } from './server-counters.ts';
import type { RunningContender } from './start-contender.ts';

/** Of the client, its connections, and a server that stood still. At most half of what is measured. */
const WARM_UP_MS = 400;
const TIMEOUT_MS = 10_000;
/** Threads of the client. One keeps up with two workers and leaves them the other CPU. */
const CLIENT_THREADS = 1;

export interface Measured {
  readonly round: Round;
  readonly peakRssBytes: number | null;
  /** null: the server does not count. */
  readonly counters: { readonly before: ServerCounters; readonly after: ServerCounters } | null;
  readonly result: LoadResult;
}

/** What may differ from the scenario's own. */
export interface Changes {
  readonly connections?: number;
  readonly seconds?: number;
  /** Requests a second; absent: a closed loop. */
  readonly rate?: number;
  /** Not measured, before the rest; default {@link WARM_UP_MS}. */
  readonly warmUpMs?: number;
}

export interface Watch {
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

export async function measure(
  running: RunningContender,
  scenario: Scenario,
  changes: Changes,
  watch: Watch,
): Promise<Measured> {
  return running.whileRunning(() => measureRunning(running, scenario, changes, watch));
}

async function measureRunning(
  running: RunningContender,
  scenario: Scenario,
  changes: Changes,
  watch: Watch,
): Promise<Measured> {
  const options = loadOptions(running, scenario, changes);
  const scrape = async (): Promise<ServerCounters | null> =>
    running.adminUrl === null ? null : scrapeCounters(running.adminUrl);
  const [before, usageBefore] = [await scrape(), readUsage(running.pid)];
  const result = await load(options, scenario.tool, watch);
  const [usageAfter, after] = [readUsage(running.pid), await scrape()];
  const cpuUs =
    usageBefore === null || usageAfter === null ? null : usageAfter.cpuUs - usageBefore.cpuUs;
  const counters = before === null || after === null ? null : { before, after };
  return {
    round: {
      ...figuresOf(result),
      rate: options.rate,
      cpuUsPerRequest:
        cpuUs === null || result.total.answered === 0 ? null : cpuUs / result.total.answered,
      counted: counters === null ? null : counters.after.calls - counters.before.calls,
    },
    peakRssBytes: usageAfter?.peakRssBytes ?? null,
    counters,
    result,
  };
}

function load(options: LoadOptions, tool: Tool | undefined, watch: Watch): Promise<LoadResult> {
  if (tool === undefined) return runLoad(options, watch.onProgress, watch.signal);
  return tool.name === 'hey' ? runHey(options, watch.signal) : runWrk(options, watch.signal);
}

function figuresOf(result: LoadResult): Omit<Round, 'rate' | 'cpuUsPerRequest' | 'counted'> {
  const { ok, wrong, refused, failed, latency } = result;
  return {
    requestsPerSecond: result.requestsPerSecond,
    p50Us: latency.p50,
    p99Us: latency.p99,
    refusedP99Us: result.refusedLatency?.p99 ?? null,
    quickP99Us: result.partLatency?.quick.p99 ?? null,
    clientLateP99Us: result.lateness?.p99 ?? null,
    ...{ ok, wrong, refused, failed },
    answered: result.total.answered,
    percentiles: latency.percentiles,
  };
}

function loadOptions(
  { url, contender }: RunningContender,
  scenario: Scenario,
  changes: Changes,
): LoadOptions {
  const bareTraffic = contender.isBare === true ? scenario.bareTraffic : undefined;
  const seconds = changes.seconds ?? scenario.seconds;
  return {
    url: `${url}/`,
    method: 'POST',
    traffic: bareTraffic ?? scenario.traffic,
    connections: changes.connections ?? scenario.connections,
    threads: CLIENT_THREADS,
    pipelining: 1,
    keepAlive: true,
    rate: changes.rate === undefined ? null : Math.max(1, Math.round(changes.rate)),
    durationMs: seconds * 1000,
    warmUpMs:
      scenario.tool === undefined ? (changes.warmUpMs ?? Math.min(WARM_UP_MS, seconds * 500)) : 0,
    requests: scenario.tool?.name === 'hey' ? scenario.tool.requests : null,
    timeoutMs: TIMEOUT_MS,
  };
}

/** @throws Error for an answer that is not right. */
export async function checkFirstAnswer(
  running: RunningContender,
  scenario: Scenario,
): Promise<void> {
  const options = loadOptions(running, scenario, { connections: 1 });
  const { ok, byStatus, failures } = await running.whileRunning(() =>
    runLoad({ ...options, requests: 1, warmUpMs: 0 }),
  );
  if (ok === 1) return;
  const found = JSON.stringify({ ...byStatus, ...failures });
  throw new Error(
    `${running.contender.name} gives a wrong first answer in ${scenario.name}: ${found}`,
  );
}
