/** The row of the overview about each worker's process: event loop, processor, memory, files, log. */
import type { Row } from './layout.ts';
import { timeseries, type Unit, type UnplacedPanel } from './panels.ts';
import { BY_WORKER, rate, ratio, sumBy, TARGET } from './queries.ts';

export function processes(): Row {
  return {
    title: 'Processes',
    panels: [
      byWorker(
        'Event loop busy',
        'Share of time that the event loop was not idle. Near 1 the worker has no room left.',
        'percentunit',
        sumBy(BY_WORKER, rate('nodejs_eventloop_active_seconds_total')),
      ),
      byWorker(
        'Event loop delay, p99',
        'How late timers ran between two scrapes; about 10 ms is the resolution of the measurement.',
        's',
        gauge('nodejs_eventloop_lag_p99_seconds'),
      ),
      byWorker(
        'CPU',
        'Processor time a second, of all threads of a worker.',
        'percentunit',
        sumBy(BY_WORKER, rate('process_cpu_seconds_total')),
      ),
      byWorker(
        'Resident memory',
        'What the system counts for a worker: heap, WebAssembly memory and code.',
        'bytes',
        gauge('process_resident_memory_bytes'),
      ),
      byWorker(
        'JavaScript heap in use',
        "V8's heap. It falls at each collection; a floor that rises is a leak.",
        'bytes',
        gauge('nodejs_heap_size_used_bytes'),
      ),
      byWorker(
        'Garbage collection',
        'Share of time spent collecting garbage.',
        'percentunit',
        sumBy(BY_WORKER, rate('nodejs_gc_duration_seconds_sum')),
      ),
      byWorker(
        'Open files, share of the limit',
        'Descriptors in use, connections too. At 1 no connection is accepted.',
        'percentunit',
        ratio(gauge('process_open_fds'), gauge('process_max_fds')),
      ),
      byWorker(
        'Log lines dropped',
        'Lines that could not be written: disk full, or the reader of a pipe stands still.',
        'cps',
        sumBy(BY_WORKER, rate('plugind_log_dropped_total')),
      ),
    ],
  };
}

function byWorker(title: string, description: string, unit: Unit, expr: string): UnplacedPanel {
  const queries = [{ expr, legend: '{{instance}} worker {{worker}}' }];
  return timeseries({ title, description, unit, width: 8, queries });
}

function gauge(name: string): string {
  return sumBy(BY_WORKER, `${name}{${TARGET}}`);
}
