/**
 * What all workers reported, on a grid of seconds: for each slot and plugin the columns that the
 * workers send. Counts of two processes of one slot, as during a roll, add up. Bounded: 900 seconds,
 * 3,600 bytes a column, and only columns that ever held something.
 */

/**
 * @typedef {object} Layout what a row's columns mean
 * @property {number} rows seconds that are remembered
 * @property {readonly string[]} outcomes
 * @property {readonly number[]} bounds
 */

/** @typedef {readonly (number | readonly number[])[]} Row as the workers send it */

/** @typedef {(Float32Array | undefined)[]} Columns */

/** A worker that was busy reports late for several seconds at once: up to so many are filled. */
const MAX_FILLED = 3;

export class SlotHistory {
  /** Seconds that were measured within a second of the grid; 0: nobody reported. */
  /** @type {Float32Array} */
  spans;
  /** @type {Map<string, Columns>} */
  plugins = new Map();

  /** @param {number} length */
  constructor(length) {
    this.spans = new Float32Array(length);
  }
}

export class History {
  /** @type {Map<string, SlotHistory>} */
  slots = new Map();
  /** The latest second of the grid, since 1970; 0 before the first row. */
  end = 0;
  /** The earliest second that a row was added to since somebody set this to infinity. */
  touched = Number.POSITIVE_INFINITY;
  /** @type {Layout} */
  layout;
  /** First column of each part of a row, as in src/metrics/live-columns.ts. */
  wait;
  hold;
  busy;
  waiters;

  /** @param {Layout} layout */
  constructor(layout) {
    this.layout = layout;
    this.wait = layout.outcomes.length;
    this.hold = this.wait + layout.bounds.length + 1;
    this.busy = this.hold + layout.bounds.length + 1;
    this.waiters = this.busy + 1;
  }

  /** Seconds that are remembered. */
  get length() {
    return this.layout.rows;
  }

  /**
   * @param {string} slot
   * @param {readonly string[]} plugins names, in the order of the row
   * @param {Row} row
   */
  add(slot, plugins, row) {
    const [timeMs, spanMs, ...parts] = /** @type {[number, number, ...number[][]]} */ (row);
    const second = Math.round(timeMs / 1000);
    if (second <= this.end - this.length) return;
    this.advance(second);
    const seconds = Math.min(MAX_FILLED, Math.max(1, Math.round(spanMs / 1000)));
    for (let back = 0; back < seconds; back++) {
      this.#fill(slot, plugins, parts, { second: second - back, spanMs, seconds });
    }
  }

  /**
   * Moves the end of the grid; what falls out of it is forgotten.
   * @param {number} second
   */
  advance(second) {
    const from = Math.max(this.end + 1, second - this.length + 1);
    for (let at = from; at <= second; at++) this.#clear(at % this.length);
    this.end = Math.max(this.end, second);
  }

  /** Forgets slots that said nothing within the grid, after a scale down. */
  prune() {
    for (const [slot, { spans }] of this.slots) {
      if (spans.every((span) => span === 0)) this.slots.delete(slot);
    }
  }

  /** @param {number} place */
  #clear(place) {
    for (const { spans, plugins } of this.slots.values()) {
      spans[place] = 0;
      for (const columns of plugins.values()) {
        for (const column of columns) if (column !== undefined) column[place] = 0;
      }
    }
  }

  /**
   * @param {string} slot
   * @param {readonly string[]} plugins
   * @param {readonly (readonly number[])[]} parts
   * @param {{ second: number, spanMs: number, seconds: number }} when
   */
  #fill(slot, plugins, parts, { second, spanMs, seconds }) {
    if (second <= this.end - this.length) return;
    this.touched = Math.min(this.touched, second);
    const place = second % this.length;
    let history = this.slots.get(slot);
    if (history === undefined) {
      history = new SlotHistory(this.length);
      this.slots.set(slot, history);
    }
    const { spans } = history;
    spans[place] = Math.max(spans[place] ?? 0, spanMs / 1000 / seconds);
    for (const [index, name] of plugins.entries()) {
      const pairs = parts[index] ?? [];
      const columns = columnsOf(history, name);
      for (let pair = 0; pair + 1 < pairs.length; pair += 2) {
        const column = /** @type {number} */ (pairs[pair]);
        const value = /** @type {number} */ (pairs[pair + 1]);
        const cells = columns[column] ?? new Float32Array(this.length);
        columns[column] = cells;
        // Who waits is a state: it is not spread over the seconds.
        const share = column === this.waiters ? value : value / seconds;
        cells[place] = (cells[place] ?? 0) + share;
      }
    }
  }
}

/**
 * @param {SlotHistory} history
 * @param {string} plugin
 */
function columnsOf(history, plugin) {
  let columns = history.plugins.get(plugin);
  if (columns === undefined) {
    columns = [];
    history.plugins.set(plugin, columns);
  }
  return columns;
}
