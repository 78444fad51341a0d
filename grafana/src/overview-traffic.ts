/** Rows of the overview: what is asked, who answers, and how plugins end. */
import type { Row } from './layout.ts';
import { timeseries } from './panels.ts';
import { BY_WORKER, quantileBy, rate, sumBy, TARGET } from './queries.ts';

const REQUESTS = 'http_request_duration_seconds';

export function requests(): Row {
  const byRoute = ['method', 'route'];
  return {
    title: 'Requests by route',
    panels: [
      timeseries({
        title: 'Rate',
        description: 'Requests a second by method and configured path; unmatched: any other path.',
        unit: 'reqps',
        width: 8,
        queries: [
          { expr: sumBy(byRoute, rate(`${REQUESTS}_count`)), legend: '{{method}} {{route}}' },
        ],
      }),
      timeseries({
        title: 'Errors',
        description: 'Replies a second with a 4xx or 5xx status, by route.',
        unit: 'reqps',
        width: 8,
        queries: [
          {
            expr: sumBy(
              [...byRoute, 'status_code'],
              rate(`${REQUESTS}_count`, `${TARGET}, status_code=~"[45].."`),
            ),
            legend: '{{method}} {{route}} {{status_code}}',
          },
        ],
      }),
      timeseries({
        title: 'Duration',
        description:
          'From the head of a request to its reply: median and 99th percentile by route.',
        unit: 's',
        width: 8,
        queries: [
          { expr: quantileBy(0.5, byRoute, REQUESTS), legend: '{{method}} {{route}} p50' },
          { expr: quantileBy(0.99, byRoute, REQUESTS), legend: '{{method}} {{route}} p99' },
        ],
      }),
      timeseries({
        title: 'Rejected',
        description: 'Requests and connections that never reached a plugin, by why.',
        unit: 'reqps',
        width: 12,
        queries: [
          {
            expr: sumBy(['instance', 'reason'], rate('plugind_http_rejected_total')),
            legend: '{{instance}} {{reason}}',
          },
        ],
      }),
      timeseries({
        title: 'Connections and requests in flight',
        description: 'Open connections to the public port and requests that have no reply yet.',
        unit: 'short',
        width: 12,
        queries: [
          {
            expr: sumBy(['instance'], `plugind_http_connections{${TARGET}}`),
            legend: '{{instance}} connections',
          },
          {
            expr: sumBy(['instance'], `plugind_http_requests_in_flight{${TARGET}}`),
            legend: '{{instance}} in flight',
          },
        ],
      }),
    ],
  };
}

export function workers(): Row {
  const legend = '{{instance}} worker {{worker}}';
  return {
    title: 'Workers compared',
    panels: [
      timeseries({
        title: 'Rate by worker',
        description:
          'The primary hands out connections in turn: workers far apart mean few, long connections.',
        unit: 'reqps',
        width: 8,
        queries: [{ expr: sumBy(BY_WORKER, rate(`${REQUESTS}_count`)), legend }],
      }),
      timeseries({
        title: 'Duration by worker, p99',
        description: '99th percentile of all requests that a worker answered.',
        unit: 's',
        width: 8,
        queries: [{ expr: quantileBy(0.99, BY_WORKER, REQUESTS), legend }],
      }),
      timeseries({
        title: 'In flight by worker',
        description: 'Requests that have no reply yet.',
        unit: 'short',
        width: 8,
        queries: [{ expr: sumBy(BY_WORKER, `plugind_http_requests_in_flight{${TARGET}}`), legend }],
      }),
    ],
  };
}

export function pluginCalls(): Row {
  return {
    title: 'Plugins',
    panels: [
      timeseries({
        title: 'Calls by outcome',
        description:
          'Requests to a plugin by how they ended: ok or an error code. Outcomes that do not occur are left out.',
        unit: 'cps',
        width: 12,
        queries: [
          {
            expr: `${sumBy(['plugin', 'function', 'outcome'], rate('plugind_plugin_calls_total'))} > 0`,
            legend: '{{plugin}}.{{function}} {{outcome}}',
          },
        ],
      }),
      timeseries({
        title: 'Instances replaced and limits met',
        description:
          'Instances that were closed and made anew, by why, and calls that met a limit, by which.',
        unit: 'cps',
        width: 12,
        queries: [
          {
            expr: sumBy(['plugin', 'reason'], rate('plugind_plugin_replacements_total')),
            legend: '{{plugin}} replaced: {{reason}}',
          },
          {
            expr: sumBy(['plugin', 'limit'], rate('plugind_plugin_limit_trips_total')),
            legend: '{{plugin}} limit: {{limit}}',
          },
        ],
      }),
      timeseries({
        title: 'Memory by plugin',
        description:
          'WebAssembly memory of all instances of a plugin in a worker. It does not shrink.',
        unit: 'bytes',
        width: 12,
        queries: [
          {
            expr: sumBy([...BY_WORKER, 'plugin'], `plugind_plugin_memory_bytes{${TARGET}}`),
            legend: '{{instance}} worker {{worker}} {{plugin}}',
          },
        ],
      }),
      timeseries({
        title: 'Instances by state',
        description:
          'ready: can be called; starting: being made; poisoned: broken and about to be replaced.',
        unit: 'short',
        width: 12,
        queries: [
          {
            expr: sumBy(['plugin', 'state'], `plugind_plugin_instances{${TARGET}}`),
            legend: '{{plugin}} {{state}}',
          },
        ],
      }),
    ],
  };
}
