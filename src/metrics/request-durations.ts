/**
 * `http_request_duration_seconds`: how long requests took, by method, route and status. It bounds
 * its own labels: whatever a client or a plugin invents ends in one of a fixed set of series.
 */
import { STATUS_CODES } from 'node:http';
import type { Registry } from 'prom-client';
import { DurationHistogram, type DurationSeries, durationBuckets } from './duration-histogram.ts';

/** `route` of a request to a path that is not configured. */
const UNMATCHED_ROUTE = 'unmatched';
/** `method` of a request with a method that no route can have. */
const OTHER_METHOD = 'OTHER';
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', OTHER_METHOD];

/** Of requests whose client left: nginx's number, which Node has no name for. */
const CLIENT_CLOSED = 499;

/** Statuses that one method of one route has a series of its own for; the next ones share their class's. */
const MAX_STATUSES = 16;

/** The series of one method of one route, by status. */
type SeriesByStatus = Map<number, DurationSeries>;

export class RequestDurations {
  readonly #histogram: DurationHistogram;
  readonly #byRoute = new Map<string, Map<string, SeriesByStatus>>();

  /** `routes`: the paths of the configuration. */
  constructor(registry: Registry, routes: readonly string[]) {
    this.#histogram = new DurationHistogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the head of a request to its reply, in seconds.',
      buckets: durationBuckets(-4, 1),
      registry,
    });
    for (const route of [...routes, UNMATCHED_ROUTE]) {
      this.#byRoute.set(route, new Map(METHODS.map((method) => [method, new Map()])));
    }
  }

  observe(method: string, route: string, statusCode: number, seconds: number): void {
    const knownRoute = this.#byRoute.has(route) ? route : UNMATCHED_ROUTE;
    const byMethod = this.#byRoute.get(knownRoute) as Map<string, SeriesByStatus>;
    const knownMethod = byMethod.has(method) ? method : OTHER_METHOD;
    const byStatus = byMethod.get(knownMethod) as SeriesByStatus;
    const series =
      byStatus.get(statusCode) ?? this.#add(byStatus, knownMethod, knownRoute, statusCode);
    series.observe(seconds);
  }

  /** A plugin sets its own status: one without a name, or one too many, shares a series with its class. */
  #add(
    byStatus: SeriesByStatus,
    method: string,
    route: string,
    statusCode: number,
  ): DurationSeries {
    const hundreds = Math.trunc(statusCode / 100);
    const shared = hundreds >= 1 && hundreds <= 5 ? hundreds : 0;
    const isNamed = STATUS_CODES[statusCode] !== undefined || statusCode === CLIENT_CLOSED;
    const hasOwn = isNamed && byStatus.size < MAX_STATUSES;
    const key = hasOwn ? statusCode : shared;
    const known = byStatus.get(key);
    if (known !== undefined) return known;
    const status = hasOwn ? String(statusCode) : `${shared}xx`;
    const series = this.#histogram.add({ method, route, status_code: status });
    byStatus.set(key, series);
    return series;
  }
}
