/** The lock before each plugin: who waits, how long, for whom. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { frame, labelVariable } from './frame.ts';
import type { Row } from './layout.ts';
import { heatmap, stat, timeseries } from './panels.ts';
import {
  BY_WORKER,
  increase,
  meanBy,
  quantileBy,
  rate,
  ratio,
  sumBy,
  TARGET,
  utilisationBy,
  WORKER_PLUGIN,
} from './queries.ts';

const WAIT = 'plugind_plugin_lock_wait_seconds';
const HOLD = 'plugind_plugin_lock_hold_seconds';
const CALLS = 'plugind_plugin_calls_total';
const WAITERS = `plugind_plugin_lock_waiters{${WORKER_PLUGIN}}`;
/** Requests that were turned away at the lock, or left its queue. */
const REFUSED = `${WORKER_PLUGIN}, outcome=~"QUEUE_FULL|WAIT_DEADLINE|SHUTTING_DOWN|CLIENT_CLOSED"`;
const BY_WORKER_PLUGIN = [...BY_WORKER, 'plugin'];
const WORKER_LEGEND = '{{instance}} worker {{worker}} {{plugin}}';

export function lock(): Dashboard {
  return frame({
    uid: 'plugind-lock',
    title: 'plugind / lock',
    description: 'How long requests wait for a plugin, how busy it is, how long it is held.',
    subjects: ['plugind_plugin_lock_waiters'],
    variables: [
      labelVariable('worker', 'Worker', `label_values(plugind_worker_up{${TARGET}}, worker)`),
      labelVariable(
        'plugin',
        'Plugin',
        `label_values(plugind_plugin_lock_waiters{${TARGET}}, plugin)`,
      ),
    ],
    rows: [now(), waiting(), busy(), holding(), refused()],
  });
}

function now(): Row {
  return {
    title: 'Now',
    panels: [
      stat({
        title: 'Busiest lock',
        description: 'Share of time that the permits of the busiest lock of any worker were held.',
        unit: 'percentunit',
        width: 6,
        noValue: 'none',
        thresholds: [0.7, 0.9],
        queries: [
          { expr: `max(${utilisationBy(BY_WORKER_PLUGIN, WORKER_PLUGIN)})`, legend: 'busy' },
        ],
      }),
      stat({
        title: 'Waiters',
        description: 'Requests that wait for a permit, all workers together.',
        unit: 'short',
        width: 6,
        noValue: 'none',
        queries: [{ expr: sumBy([], WAITERS), legend: 'waiters' }],
      }),
      stat({
        title: 'Wait, p99',
        description: '99 of 100 requests waited no longer than this for their permit.',
        unit: 's',
        width: 6,
        noValue: 'idle',
        thresholds: [0.1, 1],
        queries: [{ expr: quantileBy(0.99, [], WAIT, WORKER_PLUGIN), legend: 'p99' }],
      }),
      stat({
        title: 'Turned away',
        description:
          'Requests a second that left without a call: queue full, waited too long, client gone, shutting down.',
        unit: 'reqps',
        width: 6,
        noValue: 'none',
        thresholds: [0.001, 1],
        queries: [{ expr: sumBy([], rate(CALLS, REFUSED)), legend: 'turned away' }],
      }),
    ],
  };
}

function waiting(): Row {
  return {
    title: 'Waiting',
    panels: [
      timeseries({
        title: 'Wait by plugin',
        description:
          'Time from joining the queue to the permit: median, 90th and 99th percentile over all workers.',
        unit: 's',
        width: 12,
        queries: [0.5, 0.9, 0.99].map((quantile) => ({
          expr: quantileBy(quantile, ['plugin'], WAIT, WORKER_PLUGIN),
          legend: `{{plugin}} p${quantile * 100}`,
        })),
      }),
      heatmap({
        title: 'Wait, distribution',
        description:
          'How many requests waited how long. Two bands: some requests meet a free lock, some a queue.',
        unit: 's',
        width: 12,
        expr: sumBy(['le'], increase(`${WAIT}_bucket`, WORKER_PLUGIN)),
      }),
      timeseries({
        title: 'Wait by worker, p99',
        description:
          'One worker far above the others has longer calls, or connections that ask more.',
        unit: 's',
        width: 12,
        queries: [
          { expr: quantileBy(0.99, BY_WORKER_PLUGIN, WAIT, WORKER_PLUGIN), legend: WORKER_LEGEND },
        ],
      }),
      timeseries({
        title: 'Waiters by worker',
        description:
          'Requests in the queue at the moment of the scrape. queue.max is where they are turned away.',
        unit: 'short',
        width: 12,
        queries: [{ expr: sumBy(BY_WORKER_PLUGIN, WAITERS), legend: WORKER_LEGEND }],
      }),
    ],
  };
}

function busy(): Row {
  return {
    title: 'Busy',
    panels: [
      timeseries({
        title: 'Utilisation by worker',
        description:
          'Share of time that a permit was held: 1 is a lock that is never free. Waiting grows steeply from about 0.8.',
        unit: 'percentunit',
        width: 12,
        max: 1,
        queries: [{ expr: utilisationBy(BY_WORKER_PLUGIN, WORKER_PLUGIN), legend: WORKER_LEGEND }],
      }),
      timeseries({
        title: 'Utilisation by plugin',
        description: 'The same over all workers: held time a second for each instance there is.',
        unit: 'percentunit',
        width: 12,
        max: 1,
        queries: [{ expr: utilisationBy(['plugin'], WORKER_PLUGIN), legend: '{{plugin}}' }],
      }),
      timeseries({
        title: 'Permits granted by worker',
        description: 'Requests a second that got their permit.',
        unit: 'reqps',
        width: 12,
        queries: [
          {
            expr: sumBy(BY_WORKER_PLUGIN, rate(`${WAIT}_count`, WORKER_PLUGIN)),
            legend: WORKER_LEGEND,
          },
        ],
      }),
      timeseries({
        title: 'Share of time spent waiting',
        description:
          'Of the time between joining the queue and giving the permit back, the part spent in the queue.',
        unit: 'percentunit',
        width: 12,
        max: 1,
        queries: [{ expr: waitShare(), legend: '{{plugin}}' }],
      }),
    ],
  };
}

function waitShare(): string {
  const waited = sumBy(['plugin'], rate(`${WAIT}_sum`, WORKER_PLUGIN));
  return ratio(waited, `(${waited} + ${sumBy(['plugin'], rate(`${HOLD}_sum`, WORKER_PLUGIN))})`);
}

function holding(): Row {
  return {
    title: 'Holding',
    panels: [
      timeseries({
        title: 'Hold by plugin',
        description:
          'Time from the permit to its return, which is the call: median and 99th percentile over all workers.',
        unit: 's',
        width: 8,
        queries: [0.5, 0.99].map((quantile) => ({
          expr: quantileBy(quantile, ['plugin'], HOLD, WORKER_PLUGIN),
          legend: `{{plugin}} p${quantile * 100}`,
        })),
      }),
      heatmap({
        title: 'Hold, distribution',
        description: 'How many calls took how long.',
        unit: 's',
        width: 8,
        expr: sumBy(['le'], increase(`${HOLD}_bucket`, WORKER_PLUGIN)),
      }),
      timeseries({
        title: 'Hold by worker, mean',
        description:
          'Mean length of a call. Its inverse is what one instance can serve in a second.',
        unit: 's',
        width: 8,
        queries: [{ expr: meanBy(BY_WORKER_PLUGIN, HOLD, WORKER_PLUGIN), legend: WORKER_LEGEND }],
      }),
    ],
  };
}

function refused(): Row {
  return {
    title: 'Turned away',
    panels: [
      timeseries({
        title: 'Turned away by plugin',
        description:
          'QUEUE_FULL: at once; WAIT_DEADLINE: after queue.waitMs; CLIENT_CLOSED: the client left; SHUTTING_DOWN: at the hard end.',
        unit: 'reqps',
        width: 12,
        queries: [
          {
            expr: sumBy(['plugin', 'outcome'], rate(CALLS, REFUSED)),
            legend: '{{plugin}} {{outcome}}',
          },
        ],
      }),
      timeseries({
        title: 'Turned away by worker, share',
        description: 'Of all requests to a plugin in a worker, those that left without a call.',
        unit: 'percentunit',
        width: 12,
        queries: [
          {
            expr: ratio(
              sumBy(BY_WORKER_PLUGIN, rate(CALLS, REFUSED)),
              sumBy(BY_WORKER_PLUGIN, rate(CALLS, WORKER_PLUGIN)),
            ),
            legend: WORKER_LEGEND,
          },
        ],
      }),
    ],
  };
}
