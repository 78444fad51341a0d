/**
 * Everything that the page knows of the app, fed by the turns of a stream: the history, the marks,
 * and how each worker and the primary stood at the last turn. No row is taken twice, whichever
 * worker told it.
 */
import { History } from './history.js';
import { Marks } from './marks.js';

/** @typedef {import('./protocol.d.ts').Turn} Turn */
/** @typedef {import('./protocol.d.ts').Hello} Hello */

/** The format that this page reads, as in src/admin/live/live-report.ts. */
export const FORMAT = 1;

export class Cluster {
  /** @type {History} */
  history;
  marks = new Marks();
  /** @type {Turn} */
  turn = { timeMs: 0, primary: null, workers: [] };
  /** Number of the last row by process. @type {Map<number, number>} */
  #rows = new Map();

  /** @param {Hello} hello */
  constructor(hello) {
    this.history = new History(hello);
  }

  /**
   * @param {Turn} turn
   * @returns {import('./marks.js').Mark[]} new ones
   */
  take(turn) {
    this.turn = turn;
    /** @type {Map<number, number>} */
    const known = new Map();
    for (const worker of turn.workers) {
      const { pid } = 'head' in worker ? worker.head : worker;
      const last = this.#rows.get(pid) ?? 0;
      known.set(pid, last);
      if (!('head' in worker)) continue;
      const names = worker.head.plugins.map(({ name }) => name);
      for (const [index, row] of worker.rows.entries()) {
        if (worker.first + index > last) this.history.add(worker.head.slot, names, row);
      }
      known.set(pid, Math.max(last, worker.first + worker.rows.length - 1));
    }
    this.#rows = known;
    // Also when all are silent time goes on; the last second may not have been told yet.
    this.history.advance(Math.floor(turn.timeMs / 1000) - 1);
    this.history.prune();
    return this.marks.add(turn, (this.history.end - this.history.length) * 1000);
  }

  /** Names of all plugins. */
  get plugins() {
    const heads = this.turn.workers.flatMap((worker) => ('head' in worker ? [worker.head] : []));
    return [...new Set(heads.flatMap(({ plugins }) => plugins.map(({ name }) => name)))];
  }
}
