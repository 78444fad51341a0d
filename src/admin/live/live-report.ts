/**
 * What one worker tells the live page: its status with the events of its life, and rows of its
 * history. It travels as text, a head in JSON and then a row a line: whoever gathers the reports of
 * all workers reads the heads only, and passes the rows on as they are.
 */
import { ServerError } from '../../errors.ts';
import type { LiveRows } from '../../metrics/live-history.ts';
import { parseWorkerStatus, type WorkerStatus } from '../own-process.ts';

/** Counted up when page and workers would no longer understand each other. */
export const LIVE_FORMAT = 1;

/** `hang`: a worker of the same slot before this one hung, and its watchdog killed it. */
export type LifeEventKind = 'started' | 'ready' | 'draining' | 'hang';

export interface LifeEvent {
  readonly kind: LifeEventKind;
  /** Wall clock in ms. */
  readonly at: number;
  /** Process that it happened to. */
  readonly pid: number;
  /** For a person; empty where the kind says all. */
  readonly text: string;
}

/** The head of a report. */
export interface LiveHead extends WorkerStatus {
  readonly format: typeof LIVE_FORMAT;
  readonly events: readonly LifeEvent[];
  /** Numbers of the first row that follows, and of the last one there is. */
  readonly first: number;
  readonly last: number;
}

export interface LiveReport {
  readonly head: LiveHead;
  /** JSON of the head. */
  readonly headText: string;
  /** JSON of each row, numbered from `head.first` on. */
  readonly rows: readonly string[];
}

export function formatLiveReport(
  status: WorkerStatus,
  events: readonly LifeEvent[],
  { first, last, rows }: LiveRows,
): string {
  const head: LiveHead = { format: LIVE_FORMAT, ...status, events, first, last };
  return [JSON.stringify(head), ...rows].join('\n');
}

/** @throws ServerError `INTERNAL` when it is not a report of that slot and process. */
export function parseLiveReport(text: string, slot: string, pid: number): LiveReport {
  const [headText = '', ...rows] = text.split('\n');
  const head = parseWorkerStatus(headText, slot, pid) as Partial<LiveHead> & WorkerStatus;
  const { format, first, last, events } = head;
  if (
    format !== LIVE_FORMAT ||
    !Number.isSafeInteger(first) ||
    !Number.isSafeInteger(last) ||
    !Array.isArray(events)
  ) {
    throw new ServerError('INTERNAL', 'report is of another version');
  }
  return { head: head as LiveHead, headText, rows };
}
