/** Is it well, and if not, where to look: everything of a cluster on one page. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { frame } from './frame.ts';
import type { Row } from './layout.ts';
import { processes } from './overview-processes.ts';
import { pluginCalls, requests, workers } from './overview-traffic.ts';
import { stat, stateTimeline, table, timeseries, type UnplacedPanel } from './panels.ts';
import { BY_WORKER, increase, quantileBy, rate, ratio, sumBy, TARGET } from './queries.ts';

const REQUESTS = 'http_request_duration_seconds';

export function overview(): Dashboard {
  return frame({
    uid: 'plugind-overview',
    title: 'plugind / overview',
    description:
      'Requests by route, workers side by side, plugins by outcome, versions and processes.',
    subjects: ['plugind_worker_up'],
    variables: [],
    rows: [presence(), requests(), workers(), pluginCalls(), versions(), processes()],
  });
}

function presence(): Row {
  return { title: 'Who is up', panels: [...presenceStats(), ...presenceGraphs()] };
}

function presenceStats(): UnplacedPanel[] {
  return [
    stat({
      title: 'Workers',
      description: 'Workers that answered the last scrape, and how many the primary means to keep.',
      unit: 'short',
      width: 6,
      noValue: 'none',
      queries: [
        { expr: `sum(plugind_worker_up{${TARGET}})`, legend: 'up' },
        { expr: `sum(plugind_workers_expected{${TARGET}})`, legend: 'expected' },
      ],
    }),
    stat({
      title: 'Requests',
      description: 'Requests a second, all routes and workers together.',
      unit: 'reqps',
      width: 6,
      noValue: 'none',
      queries: [{ expr: sumBy([], rate(`${REQUESTS}_count`)), legend: 'requests' }],
    }),
    stat({
      title: 'Failed requests',
      description: 'Share of requests that were answered with a 5xx status.',
      unit: 'percentunit',
      width: 6,
      noValue: 'idle',
      thresholds: [0.01, 0.05],
      queries: [{ expr: failedShare(), legend: 'failed' }],
    }),
    stat({
      title: 'Wait for the lock, p99',
      description: 'How long requests waited for a permit of their plugin, over all plugins.',
      unit: 's',
      width: 6,
      noValue: 'idle',
      thresholds: [0.1, 1],
      queries: [{ expr: quantileBy(0.99, [], 'plugind_plugin_lock_wait_seconds'), legend: 'p99' }],
    }),
  ];
}

function presenceGraphs(): UnplacedPanel[] {
  return [
    stateTimeline({
      title: 'Workers that answer',
      description:
        'Whether each slot answered the scrape within 500 ms. A slot without a band has no process.',
      unit: 'short',
      width: 8,
      states: { '0': { text: 'silent', color: 'red' }, '1': { text: 'up', color: 'green' } },
      queries: [{ expr: `plugind_worker_up{${TARGET}}`, legend: '{{instance}} worker {{worker}}' }],
    }),
    timeseries({
      title: 'Worker processes by state',
      description:
        'As our own primary sees them; pm2 tells nothing here. waiting: a pause before a restart.',
      unit: 'short',
      width: 8,
      isStacked: true,
      queries: [
        {
          expr: sumBy(['instance', 'state'], `plugind_workers{${TARGET}}`),
          legend: '{{instance}} {{state}}',
        },
      ],
    }),
    timeseries({
      title: 'Restarts and hangs',
      description:
        'Workers that were restarted, by how the one before ended, and those that hung and were killed.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: sumBy([...BY_WORKER, 'reason'], increase('plugind_worker_restarts_total')),
          legend: '{{instance}} worker {{worker}} {{reason}}',
        },
        {
          expr: sumBy(BY_WORKER, increase('plugind_worker_hangs_total')),
          legend: '{{instance}} worker {{worker}} hung',
        },
      ],
    }),
  ];
}

/** 0 and not nothing where no request failed. */
function failedShare(): string {
  const failed = sumBy([], rate(`${REQUESTS}_count`, `${TARGET}, status_code=~"5.."`));
  return ratio(`(${failed} or vector(0))`, sumBy([], rate(`${REQUESTS}_count`)));
}

function versions(): Row {
  return {
    title: 'Versions (rolls, restarts and starts are marked in every graph)',
    panels: [
      table({
        title: 'plugind and Node',
        description: 'What each worker runs. More than one version outside a roll is a fault.',
        unit: 'short',
        width: 8,
        expr: `plugind_build_info{${TARGET}}`,
        columns: { instance: 'Instance', worker: 'Worker', version: 'plugind', node: 'Node' },
      }),
      table({
        title: 'Plugins',
        description: 'Which code of each plugin a worker runs, by its SHA-256.',
        unit: 'short',
        width: 16,
        // Prometheus knows no empty label.
        expr: `label_replace(plugind_plugin_info{${TARGET}}, "version", "none", "version", "")`,
        columns: {
          instance: 'Instance',
          worker: 'Worker',
          plugin: 'Plugin',
          version: 'Version',
          hash: 'SHA-256',
        },
      }),
      timeseries({
        title: 'Rolls',
        description: 'Rolls that ended, by result. pm2 reloads show as restarts.',
        unit: 'short',
        width: 12,
        queries: [
          {
            expr: sumBy(['instance', 'result'], increase('plugind_rolls_total')),
            legend: '{{instance}} {{result}}',
          },
        ],
      }),
      timeseries({
        title: 'Uptime by worker',
        description: 'Time since the process of a slot started.',
        unit: 's',
        width: 12,
        queries: [
          {
            expr: `time() - max by (instance, worker) (process_start_time_seconds{${TARGET}})`,
            legend: '{{instance}} worker {{worker}}',
          },
        ],
      }),
    ],
  };
}
