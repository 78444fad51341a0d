/**
 * Every query of the dashboards and rules on a real Prometheus that scrapes a real cluster: under
 * load with errors, traps, refusals, a killed worker and a roll, then idle. Each must give data,
 * with the labels that its legend shows, and nothing that is not a number.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { waitForReady } from '../helpers/cluster-status.ts';
import { exampleWasm } from '../helpers/paths.ts';
import { unlessInstalled } from '../helpers/programs.ts';
import { type PrometheusServer, startPrometheus } from '../helpers/prometheus-server.ts';
import { type ServerProcess, startServer } from '../helpers/server-process.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { writeConfig } from '../helpers/write-config.ts';
import { graphsOf, readDashboards } from './dashboard-files.ts';
import { type LoadProcess, startLoadProcess } from './load-process.ts';
import { type MixedTraffic, startMixedTraffic } from './mixed-traffic.ts';
import { comparedParts, labelsIn, parseLabelValues, parsePromql, substitute } from './promql.ts';
import { RULE_FILES, readRules } from './rule-files.ts';

/** For `$__rate_interval`. Grafana takes four scrapes; on a busy machine some of them are late. */
const RATE_INTERVAL = '6s';
/** Prometheus learns something new once a second. */
const POLL_MS = 200;
/** For what takes a second or two on a machine of its own. */
const CAP_MS = 60_000;

const requestRates = `sum by (worker) (rate(http_request_duration_seconds_count[${RATE_INTERVAL}]))`;

/** More than the test lasts, and little, since the machine has other things to do. */
const LOAD = ['-c', '4', '-r', '100', '-d', '300', '--testid', 'run', '--scenario', 'hello'];

const dashboards = readDashboards();
const rules = readRules();

interface Query {
  readonly where: string;
  readonly expr: string;
  /** Every series must have them. */
  readonly labels: readonly string[];
}

/** Every query there is, as Prometheus gets it. */
const queries: readonly Query[] = [
  ...dashboards.flatMap((dashboard) => [
    ...graphsOf(dashboard).flatMap(({ title, targets = [], transformations = [] }) =>
      targets.map(({ refId, expr, legendFormat = '' }) => {
        const columns = transformations.flatMap(({ options }) => options.include?.names ?? []);
        const labels = [...labelsIn(legendFormat), ...columns];
        return { where: `${dashboard.title}: ${title} ${refId}`, expr, labels };
      }),
    ),
    ...dashboard.annotations.list.map(({ name, target, titleFormat, textFormat }) => ({
      where: `${dashboard.title}: mark ${name}`,
      expr: target.expr,
      labels: labelsIn(titleFormat + textFormat),
    })),
    ...dashboard.templating.list.flatMap(({ name, type, query = '' }) => {
      if (type !== 'query') return [];
      const { selector, label } = parseLabelValues(query);
      const where = `${dashboard.title}: variable ${name}`;
      return [{ where, expr: `group by (${label}) (${selector})`, labels: [label] }];
    }),
  ]),
  ...rules.flatMap(({ record, alert, expr }) =>
    record !== undefined
      ? [
          { where: `rule ${record}`, expr, labels: [] },
          { where: `recorded ${record}`, expr: record, labels: [] },
        ]
      : comparedParts(expr).map((part) => ({ where: `alert ${alert}`, expr: part, labels: [] })),
  ),
].map(({ where, expr, labels }) => ({ where, labels, expr: substitute(expr, RATE_INTERVAL) }));

/** Metrics that a query asks for and nobody has. */
function unknownMetrics(expr: string, known: ReadonlySet<string>): string[] {
  return parsePromql(expr).selectors.flatMap(({ metrics }) =>
    metrics.filter((metric) => !known.has(metric)),
  );
}

describe('the queries on a real Prometheus', { skip: unlessInstalled('prometheus') }, () => {
  let server: ServerProcess;
  let client: LoadProcess;
  let traffic: MixedTraffic;
  let prometheus: PrometheusServer;
  let known: Set<string>;
  let startedAt: number;

  before(async () => {
    server = await startServer({ args: ['--config', config(), '--workers', '2'] });
    client = await startLoadProcess(`${server.url}/hello`, LOAD);
    traffic = startMixedTraffic(server.url, [
      { path: '/slow', body: '300' },
      { path: '/slow', body: '300' },
      { path: '/error', body: 'x' },
      { path: '/slow', body: '300' },
      { path: '/trap', body: 'x' },
      { path: '/nowhere', body: 'x' },
    ]);
    const { host } = new URL(server.adminUrl);
    prometheus = await startPrometheus({
      jobs: { plugind: host, 'plugind-load': client.address },
      ruleFiles: RULE_FILES,
    });
    startedAt = performance.now();
    await disturb();
    await traffic.stop();
    await client.stop();
    known = new Set(await prometheus.metricNames());
    await waitForData('an idle server', `${requestRates} == 0`);
  });
  after(async () => {
    await prometheus?.stop();
    await traffic?.stop();
    await client?.stop();
    await server?.stop();
  });

  /** Until the query answers something. */
  async function waitForData(what: string, expression: string): Promise<void> {
    const probe = async (): Promise<boolean> => {
      await setTimeout(POLL_MS);
      return (await prometheus.query(expression)).length > 0;
    };
    await waitFor(`${what}: ${expression}`, probe, CAP_MS);
  }

  /** A worker is killed, then all are rolled; both must show before the load ends. */
  async function disturb(): Promise<void> {
    await waitForData('the rates of both workers', `count(${requestRates} > 0) == 2`);
    const [first] = await waitForReady(server.adminUrl, 2);
    assert.ok(first);
    process.kill(first.pid, 'SIGKILL');
    await waitForData('a restart', `increase(plugind_worker_restarts_total[${RATE_INTERVAL}]) > 0`);
    await waitForReady(server.adminUrl, 2);
    server.child.kill('SIGHUP');
    await waitForData('a roll', `increase(plugind_rolls_total[${RATE_INTERVAL}]) > 0`);
    await waitForData('the rates of both new workers', `count(${requestRates} > 0) == 2`);
  }

  it('ask for metrics that there are', () => {
    for (const { where, expr } of queries) assert.deepEqual(unknownMetrics(expr, known), [], where);
  });

  it('are found out when they ask for another', () => {
    const planted = 'sum(rate(plugind_worker_up[1m])) / sum by (a) (plugind_workers_upp{b="c"})';
    assert.deepEqual(unknownMetrics(planted, known), ['plugind_workers_upp']);
  });

  it('give data, with the labels of their legends, and nothing but numbers', async () => {
    const seconds = Math.ceil((performance.now() - startedAt) / 1000);
    const problems: string[] = [];
    for (const { where, expr, labels } of queries) {
      const series = await prometheus.queryRange(expr, seconds);
      if (series.length === 0) problems.push(`${where}: no data: ${expr}`);
      for (const { labels: has, values } of series) {
        const missing = labels.filter((label) => has[label] === undefined);
        if (missing.length > 0) problems.push(`${where}: no label ${missing}: ${expr}`);
        const wrong = values.filter((value) => !Number.isFinite(Number(value)));
        if (wrong.length > 0) problems.push(`${where}: ${wrong[0]}: ${expr}`);
      }
    }
    assert.deepEqual([...new Set(problems)], []);
  });

  it('have rules that Prometheus could evaluate', async () => {
    assert.deepEqual(await prometheus.ruleErrors(), []);
  });
});

/** Four plugins: one that is well, one that is slow and takes few, one that fails, one that traps. */
function config(): string {
  const route = (name: string, functionName: string = name): object => ({
    path: `/${name}`,
    plugin: name,
    function: functionName,
  });
  return writeConfig({
    plugins: {
      hello: { wasm: exampleWasm('hello') },
      slow: { wasm: exampleWasm('slow'), queue: { max: 1 } },
      error: { wasm: exampleWasm('error') },
      trap: { wasm: exampleWasm('trap') },
    },
    routes: [route('hello'), route('slow'), route('error'), route('trap')],
  });
}
