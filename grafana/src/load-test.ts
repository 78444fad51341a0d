/**
 * One run of the load client: what it measured over what the servers say of the same time. The
 * servers know of no run, so their series are shown while the client of the chosen run is there.
 */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { frame, labelVariable } from './frame.ts';
import type { Row } from './layout.ts';
import { saturation } from './load-test-saturation.ts';
import { stat, timeseries } from './panels.ts';
import {
  BY_WORKER,
  duringRun,
  quantileBy,
  RUN,
  rate,
  ratio,
  sumBy,
  TARGET,
  utilisationBy,
} from './queries.ts';

const CLIENT = 'plugind_load_request_duration_seconds';
const SERVER = 'http_request_duration_seconds';
const WAIT = 'plugind_plugin_lock_wait_seconds';
const HOLD = 'plugind_plugin_lock_hold_seconds';
const BY_RUN = ['testid', 'scenario'];

export function loadTest(): Dashboard {
  return frame({
    uid: 'plugind-load-test',
    title: 'plugind / load test',
    description: 'The load client and the servers it asked, over each other, by run.',
    subjects: ['plugind_worker_up', 'plugind_load_connections'],
    variables: [
      labelVariable('testid', 'Run', `label_values(plugind_load_connections{${TARGET}}, testid)`),
    ],
    rows: [result(), bothSides(), lockUnderLoad(), saturation()],
  });
}

function result(): Row {
  return {
    title: 'Result',
    panels: [
      stat({
        title: 'Answered',
        description: 'Right answers a second, as the client counts them.',
        unit: 'reqps',
        width: 6,
        noValue: 'no run',
        queries: [
          {
            expr: sumBy([], rate('plugind_load_requests_total', `${RUN}, outcome="ok"`)),
            legend: 'answered',
          },
        ],
      }),
      stat({
        title: 'Client p99',
        description: 'Duration of a request at the client, 99th percentile.',
        unit: 's',
        width: 6,
        noValue: 'no run',
        queries: [{ expr: quantileBy(0.99, [], CLIENT, RUN), legend: 'p99' }],
      }),
      stat({
        title: 'Not answered',
        description: 'Share of requests whose answer was wrong, failed or refused.',
        unit: 'percentunit',
        width: 6,
        noValue: 'no run',
        thresholds: [0.001, 0.01],
        queries: [
          {
            expr: ratio(
              `(${sumBy([], rate('plugind_load_requests_total', `${RUN}, outcome!="ok"`))} or vector(0))`,
              sumBy([], rate('plugind_load_requests_total', RUN)),
            ),
            legend: 'not answered',
          },
        ],
      }),
      stat({
        title: 'Busiest lock',
        description: 'Utilisation of the busiest lock of any worker during the run.',
        unit: 'percentunit',
        width: 6,
        noValue: 'no run',
        thresholds: [0.7, 0.9],
        queries: [
          {
            expr: duringRun(`max(${utilisationBy([...BY_WORKER, 'plugin'])})`),
            legend: 'busy',
          },
        ],
      }),
    ],
  };
}

function bothSides(): Row {
  return {
    title: 'Client and server over each other',
    panels: [
      timeseries({
        title: 'Throughput',
        description:
          'Asked for (0: as fast as answers come), finished at the client, answered by the servers.',
        unit: 'reqps',
        width: 12,
        queries: [
          {
            expr: sumBy(BY_RUN, `plugind_load_target_rate{${RUN}}`),
            legend: '{{testid}} {{scenario}} asked for',
          },
          {
            expr: sumBy(BY_RUN, rate('plugind_load_requests_total', RUN)),
            legend: '{{testid}} {{scenario}} client',
          },
          { expr: duringRun(sumBy([], rate(`${SERVER}_count`))), legend: 'servers' },
        ],
      }),
      timeseries({
        title: 'Duration',
        description:
          'What lies between client and server is the network, the accept queue and the client itself.',
        unit: 's',
        width: 12,
        queries: [
          ...[0.5, 0.99].map((quantile) => ({
            expr: quantileBy(quantile, BY_RUN, CLIENT, RUN),
            legend: `{{testid}} {{scenario}} client p${quantile * 100}`,
          })),
          ...[0.5, 0.99].map((quantile) => ({
            expr: duringRun(quantileBy(quantile, [], SERVER)),
            legend: `servers p${quantile * 100}`,
          })),
        ],
      }),
      timeseries({
        title: 'Outcomes at the client',
        description:
          'ok; wrong: an answer that is not the right one; failed: no answer; refused: 503 with Retry-After.',
        unit: 'reqps',
        width: 8,
        queries: [
          {
            expr: sumBy([...BY_RUN, 'outcome'], rate('plugind_load_requests_total', RUN)),
            legend: '{{testid}} {{scenario}} {{outcome}}',
          },
        ],
      }),
      timeseries({
        title: 'Statuses at the servers',
        description: 'Replies a second by status, of all clients.',
        unit: 'reqps',
        width: 8,
        queries: [
          {
            expr: duringRun(sumBy(['status_code'], rate(`${SERVER}_count`))),
            legend: '{{status_code}}',
          },
        ],
      }),
      timeseries({
        title: 'Connections',
        description: 'Open at the client and at the servers.',
        unit: 'short',
        width: 8,
        queries: [
          {
            expr: sumBy(BY_RUN, `plugind_load_connections{${RUN}}`),
            legend: '{{testid}} {{scenario}} client',
          },
          {
            expr: duringRun(sumBy(['instance'], `plugind_http_connections{${TARGET}}`)),
            legend: '{{instance}} server',
          },
        ],
      }),
    ],
  };
}

function lockUnderLoad(): Row {
  return {
    title: 'The lock under this load',
    panels: [
      timeseries({
        title: 'Lock wait against throughput',
        description:
          'Where throughput (dashed, right) stays flat while the wait grows, the lock is the limit.',
        unit: 's',
        width: 12,
        rightAxis: { legends: '^throughput', unit: 'reqps' },
        queries: [
          { expr: duringRun(quantileBy(0.5, ['plugin'], WAIT)), legend: '{{plugin}} wait p50' },
          { expr: duringRun(quantileBy(0.99, ['plugin'], WAIT)), legend: '{{plugin}} wait p99' },
          {
            expr: duringRun(sumBy(['plugin'], rate(`${WAIT}_count`))),
            legend: 'throughput {{plugin}}',
          },
        ],
      }),
      timeseries({
        title: 'Where the time goes',
        description:
          'Request-seconds a second: waiting for the lock, holding it, and all else that the server does.',
        unit: 'short',
        width: 12,
        isStacked: true,
        queries: [
          { expr: duringRun(sumBy([], rate(`${WAIT}_sum`))), legend: 'waiting' },
          { expr: duringRun(sumBy([], rate(`${HOLD}_sum`))), legend: 'holding' },
          { expr: duringRun(elsewhere()), legend: 'elsewhere' },
        ],
      }),
    ],
  };
}

/** Refused requests have no wait of their own, and histograms are read one by one: not below 0. */
function elsewhere(): string {
  const [all, waited, held] = [SERVER, WAIT, HOLD].map((name) => sumBy([], rate(`${name}_sum`)));
  return `clamp_min(${all} - ${waited} - ${held}, 0)`;
}
