/** Which charts there are, and how figures become their lines. */
import { formatCount, formatDuration, formatRate, formatShare } from './format.js';
import { Panel } from './panel.js';

/** @typedef {import('./figures.js').Figures} Figures */
/** @typedef {import('./figures.js').Line} Line */
/** @typedef {import('./marks.js').Mark} Mark */

/** Places in the palette: one colour, the median dashed. */
const P50 = 8;
const P99 = 0;
/** The first colour is that of what goes well. */
const FIRST_ERROR = 1;

export class Charts {
  #throughput = new Panel({
    title: 'Throughput',
    hint: 'Calls a second that ended, however they ended, by worker',
    format: formatRate,
  });
  #wait = new Panel({
    title: 'Lock wait',
    hint: 'Time that requests waited for the lock, median and 99th percentile, and how many wait',
    format: formatDuration,
    scale: 'log',
    formatRight: formatCount,
  });
  #busy = new Panel({
    title: 'Busy',
    hint: 'Share of the time that the lock was held, by worker; of several instances or plugins the sum',
    format: formatShare,
    top: 1,
  });
  #hold = new Panel({
    title: 'Lock hold',
    hint: 'Time that calls held the lock, median and 99th percentile',
    format: formatDuration,
    scale: 'log',
  });
  #errors = new Panel({
    title: 'Errors',
    hint: 'Calls a second that did not end well, by outcome',
    format: formatRate,
    empty: 'none in this time',
  });

  get panels() {
    return [this.#throughput, this.#wait, this.#busy, this.#hold, this.#errors];
  }

  /**
   * @param {Figures} figures
   * @param {readonly Mark[]} marks
   */
  draw(figures, marks) {
    const { times, throughput, busy, wait, hold, waiters, errors } = figures;
    this.#throughput.draw({
      times,
      series: slotSeries(throughput),
      marks,
      headline: (index) => `${formatRate(sumAt(throughput.values(), index))}/s`,
    });
    this.#wait.draw({
      times,
      series: [
        { label: 'waiting', values: waiters, colour: 0, onRight: true },
        { label: 'p50', values: wait.p50, colour: P50 },
        { label: 'p99', values: wait.p99, colour: P99, isBandTop: true },
      ],
      marks,
      headline: (index) => `p99 ${formatDuration(wait.p99[index])}`,
    });
    this.#busy.draw({
      times,
      series: slotSeries(busy),
      marks,
      headline: (index) => `${formatShare(meanAt(busy.values(), index))} on average`,
    });
    this.#hold.draw({
      times,
      series: [
        { label: 'p50', values: hold.p50, colour: P50 },
        { label: 'p99', values: hold.p99, colour: P99, isBandTop: true },
      ],
      marks,
      headline: (index) => `p99 ${formatDuration(hold.p99[index])}`,
    });
    const outcomes = [...errors];
    this.#errors.draw({
      times,
      series: outcomes.map(([label, values], place) => ({
        label,
        values,
        colour: place + FIRST_ERROR,
      })),
      marks,
      headline: (index) => `${formatRate(sumAt(errors.values(), index) ?? 0)}/s`,
    });
  }

  repaint() {
    for (const panel of this.panels) panel.repaint();
  }
}

/** A worker keeps its colour whoever else is there. @param {Map<string, Line>} lines */
function slotSeries(lines) {
  return [...lines].map(([slot, values]) => ({ label: `w${slot}`, values, colour: Number(slot) }));
}

/**
 * @param {Iterable<Line>} lines
 * @param {number} index
 * @returns {number | null} null where nobody reported
 */
export function sumAt(lines, index) {
  const values = [...lines].map((line) => line[index]).filter((value) => typeof value === 'number');
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

/** @param {Iterable<Line>} lines @param {number} index */
export function meanAt(lines, index) {
  const values = [...lines].map((line) => line[index]).filter((value) => typeof value === 'number');
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
