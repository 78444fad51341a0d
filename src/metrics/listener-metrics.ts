/**
 * The metrics of the public listener that are not of single replies: its connections, the requests
 * in flight, and what was refused before it could queue for a plugin. The listener counts in plain
 * numbers; they are read when somebody scrapes.
 */
import { Counter, Gauge, type Registry } from 'prom-client';

/** Read at each scrape. */
export interface MeasuredListener {
  /** Open connections. */
  connections(): number;
  /** Requests whose head was read and whose reply is not yet written. */
  requestsInFlight(): number;
  /** Refused since the start, by reason; every reason, those with none too. */
  rejected(): Readonly<Record<string, number>>;
}

export function addListenerMetrics(registry: Registry, listener: MeasuredListener): void {
  const registers = [registry];
  new Gauge({
    name: 'plugind_http_requests_in_flight',
    help: 'Requests whose head was read and whose reply is not yet written.',
    registers,
    collect() {
      this.set(listener.requestsInFlight());
    },
  });
  new Gauge({
    name: 'plugind_http_connections',
    help: 'Open connections of the public listener.',
    registers,
    collect() {
      this.set(listener.connections());
    },
  });
  new Counter({
    name: 'plugind_http_rejected_total',
    help: 'Connections and requests that were refused before they could queue for a plugin, by why.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(listener.rejected())) {
        this.inc({ reason }, count);
      }
    },
  });
}
