/**
 * The last 15 minutes of one worker, a row a second, for whoever opens the live page late. A ring
 * of 32-bit columns, each made when it first holds something other than 0: 3,600 bytes a column,
 * usually about 20 of a plugin's 54, so 72 KB a plugin and 194 KB at the most; 10.8 KB for times.
 */
import type { LiveColumns } from './live-columns.ts';

/** Seconds that are remembered. */
export const HISTORY_ROWS = 900;

/** A run of rows, oldest first. */
export interface LiveRows {
  /** Number of the first row; they are numbered from 1 on, without a gap. */
  readonly first: number;
  /**
   * Each row is JSON: `[wall clock in ms, span in ms, …]`, then for each plugin a list of column
   * and value in turn, without columns that are 0.
   */
  readonly rows: readonly string[];
  /** Number of the last row there is: more than these when they did not fit. */
  readonly last: number;
}

/** What happened within one span. */
export interface LiveRow {
  /** Wall clock at its end. */
  readonly timeMs: number;
  readonly spanMs: number;
  /** One list of `LiveColumns.count` numbers for each plugin. */
  readonly plugins: readonly Float64Array[];
}

/** Longest text that is given at once: a late viewer gets its history in several pieces. */
const MAX_ROWS_CHARS = 64 * 1024;

type Column = Uint32Array | undefined;

export class LiveHistory {
  readonly columns: LiveColumns;
  readonly #times = new Float64Array(HISTORY_ROWS);
  readonly #spans = new Uint32Array(HISTORY_ROWS);
  readonly #plugins: Column[][] = [];
  #last = 0;

  constructor(columns: LiveColumns) {
    this.columns = columns;
  }

  /** Bytes of its arrays. */
  get bytes(): number {
    const columns = this.#plugins.flat().filter((column) => column !== undefined);
    const buffers = [this.#times, this.#spans, ...columns];
    return buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Forgets the oldest row when it is full. */
  add({ timeMs, spanMs, plugins }: LiveRow): void {
    const place = this.#last % HISTORY_ROWS;
    this.#last++;
    this.#times[place] = timeMs;
    this.#spans[place] = spanMs;
    plugins.forEach((values, plugin) => {
      this.#plugins[plugin] ??= new Array<Column>(this.columns.count).fill(undefined);
      const columns = this.#plugins[plugin];
      values.forEach((value, index) => {
        const column = columns[index];
        if (column !== undefined) column[place] = value;
        else if (value !== 0) {
          const made = new Uint32Array(HISTORY_ROWS);
          made[place] = value;
          columns[index] = made;
        }
      });
    });
  }

  /** Rows after the one of that number, as many as fit into one answer. */
  since(number: number): LiveRows {
    const last = this.#last;
    // A number from the future is another process's: everything is news then.
    const after = number > last ? 0 : number;
    const first = Math.max(after, last - HISTORY_ROWS) + 1;
    const rows: string[] = [];
    let chars = 0;
    for (let row = first; row <= last && chars < MAX_ROWS_CHARS; row++) {
      const text = this.#format((row - 1) % HISTORY_ROWS);
      chars += text.length;
      rows.push(text);
    }
    return { first, rows, last };
  }

  #format(place: number): string {
    let text = `[${this.#times[place]},${this.#spans[place]}`;
    for (const columns of this.#plugins) {
      let pairs = '';
      for (let index = 0; index < columns.length; index++) {
        const value = columns[index]?.[place] ?? 0;
        if (value !== 0) pairs += `${pairs === '' ? '' : ','}${index},${value}`;
      }
      text += `,[${pairs}]`;
    }
    return `${text}]`;
  }
}
