/**
 * PromQL that the panels share, written so that no query answers NaN: an idle histogram's quantile
 * is NaN, which `>= 0` leaves out, and a ratio's denominator is filtered before it divides.
 */

/** Chosen at the top of every dashboard; each selector has it. */
export const TARGET = 'job=~"$job", instance=~"$instance"';

/** The same with the variables of the lock dashboard. */
export const WORKER_PLUGIN: string = `${TARGET}, worker=~"$worker", plugin=~"$plugin"`;

/** The client of a load test. */
export const RUN: string = `${TARGET}, testid=~"$testid"`;

/** Labels of one worker: slots have the same names on every instance. */
export const BY_WORKER: readonly string[] = ['instance', 'worker'];

export function rate(metric: string, matchers: string = TARGET): string {
  return `rate(${metric}{${matchers}}[$__rate_interval])`;
}

export function increase(metric: string, matchers: string = TARGET): string {
  return `increase(${metric}{${matchers}}[$__rate_interval])`;
}

export function sumBy(labels: readonly string[], expression: string): string {
  return labels.length === 0
    ? `sum(${expression})`
    : `sum by (${labels.join(', ')}) (${expression})`;
}

/** @param quantile 0 to 1. @param histogram its name without `_bucket`. */
export function quantileBy(
  quantile: number,
  labels: readonly string[],
  histogram: string,
  matchers: string = TARGET,
): string {
  const buckets = sumBy([...labels, 'le'], rate(`${histogram}_bucket`, matchers));
  return `histogram_quantile(${quantile}, ${buckets}) >= 0`;
}

/** Mean of a histogram, in its unit. */
export function meanBy(
  labels: readonly string[],
  histogram: string,
  matchers: string = TARGET,
): string {
  return ratio(
    sumBy(labels, rate(`${histogram}_sum`, matchers)),
    sumBy(labels, rate(`${histogram}_count`, matchers)),
  );
}

/** Nothing where the denominator is 0. */
export function ratio(numerator: string, denominator: string): string {
  return `${numerator} / (${denominator} > 0)`;
}

/** Share of time that a permit was held, 0 to 1: held time a second for each instance. */
export function utilisationBy(labels: readonly string[], matchers: string = TARGET): string {
  return ratio(
    sumBy(labels, rate('plugind_plugin_lock_busy_seconds_total', matchers)),
    sumBy(labels, `plugind_plugin_instances{${matchers}}`),
  );
}

/** Shown only while the client of the chosen run is scraped. */
export function duringRun(expression: string): string {
  return `(${expression}) and on () count(plugind_load_connections{${RUN}})`;
}
