/**
 * One event of a live stream: what is news to a viewer in what all workers reported. Texts of rows
 * and heads are put together without being read again.
 */
import type { SilentSibling } from '../siblings.ts';
import { type Cursors, formatCursors } from './cursors.ts';
import type { LiveReport } from './live-report.ts';

export interface LiveTurn {
  /** Wall clock in ms. */
  readonly timeMs: number;
  /** Every process there is. */
  readonly workers: readonly (LiveReport | SilentSibling)[];
  /** JSON of our own primary's status, or `null`. */
  readonly primaryText: string;
}

export interface LiveEvent {
  /** As it goes over the wire. */
  readonly text: string;
  /** How far the viewer is once it has read this. */
  readonly cursors: Cursors;
  /** Workers have more rows than fitted. */
  readonly isBehind: boolean;
}

export function composeLiveEvent(turn: LiveTurn, cursors: Cursors): LiveEvent {
  const next = new Map<number, number>();
  let isBehind = false;
  const parts = turn.workers.map((worker) => {
    if ('state' in worker) {
      // Its place is kept: it may answer again.
      const known = cursors.get(worker.pid);
      if (known !== undefined) next.set(worker.pid, known);
      return JSON.stringify(worker);
    }
    const { head, headText, rows } = worker;
    const known = cursors.get(head.pid) ?? 0;
    const after = known > head.last ? 0 : known;
    const news = rows.slice(Math.max(0, after + 1 - head.first));
    const end = head.first + rows.length - 1;
    next.set(head.pid, Math.max(after, end));
    isBehind ||= end < head.last;
    // The first row's number tells the page what it has seen already.
    const first = Math.max(head.first, after + 1);
    return `{"head":${headText},"first":${first},"rows":[${news.join(',')}]}`;
  });
  const data = `{"timeMs":${turn.timeMs},"primary":${turn.primaryText},"workers":[${parts.join(',')}]}`;
  const text = `event: turn\nid: ${formatCursors(next)}\ndata: ${data}\n\n`;
  return { text, cursors: next, isBehind };
}
