/**
 * The figures that the charts show, kept from turn to turn: only the seconds that are new, or that
 * a late row changed, are read again. All of them are when something else is chosen, when workers or
 * outcomes come and go, and once a minute.
 */
import { readFigures } from './figures.js';

/** @typedef {import('./history.js').History} History */
/** @typedef {import('./figures.js').Figures} Figures */
/** @typedef {import('./figures.js').Selection} Selection */
/** @typedef {import('./figures.js').Line} Line */

const WHOLE_EVERY_S = 60;

export class FigureWindow {
  /** @type {Figures | null} */
  #kept = null;
  #choice = '';
  #readWholeAt = 0;

  /**
   * @param {History} history
   * @param {Selection} selection
   * @returns {Figures} the same arrays again, moved on
   */
  read(history, selection) {
    const choice = JSON.stringify(selection);
    const end = this.#kept?.times.at(-1) ?? 0;
    const from = Math.min(history.touched, end + 1);
    history.touched = Number.POSITIVE_INFINITY;
    const seconds = history.end - from + 1;
    const isDue = history.end - this.#readWholeAt >= WHOLE_EVERY_S;
    if (this.#kept !== null && choice === this.#choice && !isDue && seconds < selection.seconds) {
      if (seconds <= 0) return this.#kept;
      const tail = readFigures(history, { ...selection, seconds });
      if (append(this.#kept, tail, history.end - end)) return this.#kept;
    }
    this.#choice = choice;
    this.#readWholeAt = history.end;
    this.#kept = readFigures(history, selection);
    return this.#kept;
  }
}

/**
 * Moves all lines on by `shift` seconds and lays the tail over their end.
 * @param {Figures} kept
 * @param {Figures} tail
 * @param {number} shift
 * @returns {boolean} false, with nothing done, where there are other lines by now
 */
function append(kept, tail, shift) {
  const hasSlots = [...kept.throughput.keys()].join() === [...tail.throughput.keys()].join();
  const hasOutcomes = [...tail.errors.keys()].every((outcome) => kept.errors.has(outcome));
  if (!hasSlots || !hasOutcomes) return false;
  lay(kept.times, tail.times, shift);
  // None of an outcome in the tail: 0 where somebody reported.
  const none = tail.waiters.map((value) => (value === null ? null : 0));
  for (const [slot, line] of kept.throughput) lay(line, tail.throughput.get(slot) ?? [], shift);
  for (const [slot, line] of kept.busy) lay(line, tail.busy.get(slot) ?? [], shift);
  for (const [outcome, line] of kept.errors) lay(line, tail.errors.get(outcome) ?? none, shift);
  lay(kept.waiters, tail.waiters, shift);
  for (const part of /** @type {const} */ (['wait', 'hold'])) {
    lay(kept[part].p50, tail[part].p50, shift);
    lay(kept[part].p99, tail[part].p99, shift);
  }
  return true;
}

/**
 * @template Value
 * @param {Value[]} line
 * @param {readonly Value[]} tail
 * @param {number} shift
 */
function lay(line, tail, shift) {
  const { length } = line;
  line.splice(0, shift);
  line.splice(length - tail.length, tail.length, ...tail);
}
