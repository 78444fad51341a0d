/** The row of the load test that says which part of the servers is the limit. */
import type { Row } from './layout.ts';
import { timeseries, type UnplacedPanel } from './panels.ts';
import { BY_WORKER, duringRun, rate, sumBy, TARGET, utilisationBy } from './queries.ts';

const LEGEND = '{{instance}} worker {{worker}}';

export function saturation(): Row {
  return { title: 'Saturation', panels: [...limits(), ...symptoms()] };
}

/** What can be used up. */
function limits(): UnplacedPanel[] {
  return [
    timeseries({
      title: 'Lock utilisation',
      description: 'Share of time that permits were held, by worker and plugin.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      queries: [
        {
          expr: duringRun(utilisationBy([...BY_WORKER, 'plugin'])),
          legend: `${LEGEND} {{plugin}}`,
        },
      ],
    }),
    timeseries({
      title: 'Event loop busy',
      description:
        'A busy loop with a lock that is mostly free: the limit is HTTP, not the plugin.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      queries: [
        {
          expr: duringRun(sumBy(BY_WORKER, rate('nodejs_eventloop_active_seconds_total'))),
          legend: LEGEND,
        },
      ],
    }),
    timeseries({
      title: 'CPU',
      description: 'Processor time a second, of all threads of a worker.',
      unit: 'percentunit',
      width: 8,
      queries: [
        { expr: duringRun(sumBy(BY_WORKER, rate('process_cpu_seconds_total'))), legend: LEGEND },
      ],
    }),
  ];
}

/** What is seen when it is. */
function symptoms(): UnplacedPanel[] {
  return [
    timeseries({
      title: 'Waiters',
      description: 'Requests in the queues at the moment of the scrape.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: duringRun(
            sumBy([...BY_WORKER, 'plugin'], `plugind_plugin_lock_waiters{${TARGET}}`),
          ),
          legend: `${LEGEND} {{plugin}}`,
        },
      ],
    }),
    timeseries({
      title: 'Turned away',
      description: 'Requests a second that the servers refused at the lock.',
      unit: 'reqps',
      width: 8,
      queries: [
        {
          expr: duringRun(
            sumBy(
              ['plugin', 'outcome'],
              rate('plugind_plugin_calls_total', `${TARGET}, outcome=~"QUEUE_FULL|WAIT_DEADLINE"`),
            ),
          ),
          legend: '{{plugin}} {{outcome}}',
        },
      ],
    }),
    timeseries({
      title: 'Resident memory',
      description: 'What the system counts for each worker during the run.',
      unit: 'bytes',
      width: 8,
      queries: [
        {
          expr: duringRun(sumBy(BY_WORKER, `process_resident_memory_bytes{${TARGET}}`)),
          legend: LEGEND,
        },
      ],
    }),
  ];
}
