/**
 * Lines for the charts and numbers for the tables, out of the history: rates of counters and
 * quantiles of histograms, second by second. It knows nothing of the page.
 */
import { quantile } from './quantile.js';

/** @typedef {import('./history.js').History} History */
/** @typedef {(number | null)[]} Line one value a second; null where nobody reported */

/**
 * @typedef {object} Selection
 * @property {number} seconds how many, up to the end of the history
 * @property {string} plugin empty: all
 * @property {string} worker slot; empty: all
 */

/**
 * @typedef {object} Quantiles
 * @property {Line} p50 seconds
 * @property {Line} p99 seconds
 */

/**
 * @typedef {object} Figures
 * @property {number[]} times seconds since 1970
 * @property {Map<string, Line>} throughput calls a second by slot
 * @property {Map<string, Line>} busy share of the time that permits were held, by slot
 * @property {Map<string, Line>} errors calls a second by outcome, those that came up
 * @property {Quantiles} wait
 * @property {Quantiles} hold
 * @property {Line} waiters
 */

/**
 * @param {History} history
 * @param {Selection} selection
 * @returns {Figures}
 */
export function readFigures(history, { seconds, plugin, worker }) {
  const { outcomes, bounds } = history.layout;
  const slots = [...history.slots.keys()]
    .filter((slot) => worker === '' || slot === worker)
    .sort((a, b) => Number(a) - Number(b));
  const sums = slots.map((slot) => new SlotSums(history, slot, plugin, seconds));
  const all = sumAll(sums, history.waiters + 1, seconds);
  /** @type {(column: number, scale: number) => Map<string, Line>} */
  const bySlot = (column, scale) => new Map(sums.map((one) => [one.slot, one.line(column, scale)]));
  const calls = outcomes.map((_outcome, column) => column);
  const throughput = new Map(sums.map((one) => [one.slot, one.lineOf(calls)]));
  const errors = outcomes
    .map((outcome, column) => ({ outcome, column }))
    .filter(({ outcome, column }) => outcome !== 'ok' && all.has(column))
    .map(({ outcome, column }) => /** @type {const} */ ([outcome, all.rates(column)]));
  const start = history.end - seconds + 1;
  return {
    times: Array.from({ length: seconds }, (_second, index) => start + index),
    throughput,
    busy: bySlot(history.busy, 1e-6),
    errors: new Map(errors),
    wait: all.quantiles(bounds, history.wait),
    hold: all.quantiles(bounds, history.hold),
    waiters: all.states(history.waiters),
  };
}

/** One slot's columns, summed over the chosen plugins, oldest second first. */
class SlotSums {
  /** @type {string} */
  slot;
  /** @type {Float32Array} */
  spans;
  /** @type {(Float64Array | undefined)[]} */
  columns = [];

  /**
   * @param {History} history
   * @param {string} slot
   * @param {string} plugin
   * @param {number} seconds
   */
  constructor(history, slot, plugin, seconds) {
    this.slot = slot;
    const { spans, plugins } = /** @type {import('./history.js').SlotHistory} */ (
      history.slots.get(slot)
    );
    this.spans = new Float32Array(seconds);
    const { length } = history;
    const first = history.end - seconds + 1 + length;
    for (let at = 0; at < seconds; at++) this.spans[at] = spans[(first + at) % length] ?? 0;
    for (const [name, columns] of plugins) {
      if (plugin !== '' && name !== plugin) continue;
      for (const [index, column] of columns.entries()) {
        if (column === undefined) continue;
        const sum = this.columns[index] ?? new Float64Array(seconds);
        this.columns[index] = sum;
        for (let at = 0; at < seconds; at++) {
          sum[at] = (sum[at] ?? 0) + (column[(first + at) % length] ?? 0);
        }
      }
    }
  }

  /** @param {number} column @param {number} scale @returns {Line} a second */
  line(column, scale) {
    const values = this.columns[column];
    return Array.from(this.spans, (span, at) =>
      span === 0 ? null : ((values?.[at] ?? 0) * scale) / span,
    );
  }

  /** @param {readonly number[]} columns @returns {Line} their sum a second */
  lineOf(columns) {
    return Array.from(this.spans, (span, at) =>
      span === 0
        ? null
        : columns.reduce((sum, column) => sum + (this.columns[column]?.[at] ?? 0), 0) / span,
    );
  }
}

/**
 * @param {readonly SlotSums[]} sums
 * @param {number} count columns
 * @param {number} seconds
 */
function sumAll(sums, count, seconds) {
  const spans = new Float32Array(seconds);
  /** @type {(Float64Array | undefined)[]} */
  const columns = new Array(count).fill(undefined);
  /** Of each slot by its own span, since they need not be alike. @type {typeof columns} */
  const rates = new Array(count).fill(undefined);
  for (const one of sums) {
    for (let at = 0; at < seconds; at++) {
      spans[at] = Math.max(spans[at] ?? 0, one.spans[at] ?? 0);
    }
    for (const [index, column] of one.columns.entries()) {
      if (column === undefined) continue;
      const sum = columns[index] ?? new Float64Array(seconds);
      columns[index] = sum;
      const rate = rates[index] ?? new Float64Array(seconds);
      rates[index] = rate;
      for (let at = 0; at < seconds; at++) {
        sum[at] = (sum[at] ?? 0) + (column[at] ?? 0);
        rate[at] = (rate[at] ?? 0) + (column[at] ?? 0) / (one.spans[at] || 1);
      }
    }
  }
  const counts = new Float64Array(count);
  return {
    /** @param {number} column */
    has: (column) => columns[column]?.some((value) => value > 0) === true,
    /** @param {number} column @returns {Line} */
    rates: (column) =>
      Array.from(spans, (span, at) => (span === 0 ? null : (rates[column]?.[at] ?? 0))),
    /** @param {number} column @returns {Line} */
    states: (column) =>
      Array.from(spans, (span, at) => (span === 0 ? null : (columns[column]?.[at] ?? 0))),
    /** @param {readonly number[]} bounds @param {number} first @returns {Quantiles} */
    quantiles: (bounds, first) => {
      /** @type {Quantiles} */
      const lines = { p50: [], p99: [] };
      for (let at = 0; at < seconds; at++) {
        for (let index = first; index <= first + bounds.length; index++) {
          counts[index] = columns[index]?.[at] ?? 0;
        }
        lines.p50.push(quantile(0.5, bounds, counts, first));
        lines.p99.push(quantile(0.99, bounds, counts, first));
      }
      return lines;
    },
  };
}
