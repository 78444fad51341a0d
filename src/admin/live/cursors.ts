/**
 * How far a viewer has read each worker's history: process id -> number of its last row. It is the
 * id of every event, so that a page which lost its stream goes on where it was, with any worker.
 */

export type Cursors = ReadonlyMap<number, number>;

/** More processes than any cluster has. */
const MAX_CURSORS = 1024;
const CURSOR = /^([1-9]\d{0,9}):(\d{1,12})$/;

/** `123:45,124:44`. */
export function formatCursors(cursors: Cursors): string {
  return [...cursors].map(([pid, row]) => `${pid}:${row}`).join(',');
}

/** Whatever cannot be read is left out: its history is sent from the start. */
export function parseCursors(text: unknown): Cursors {
  const parts = typeof text === 'string' ? text.split(',', MAX_CURSORS) : [];
  return new Map(
    parts
      .map((part) => CURSOR.exec(part))
      .filter((match) => match !== null)
      .map(([, pid, row]) => [Number(pid), Number(row)]),
  );
}
