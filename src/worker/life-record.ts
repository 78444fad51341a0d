/** What happened in this worker's life, for the live page: a handful of events, with wall-clock times. */
import type { LifeEvent } from '../admin/live/live-report.ts';
import type { LifecycleState } from '../lifecycle/state.ts';
import type { HangRecord } from './watchdog/hang-record.ts';

export class LifeRecord {
  readonly #events: LifeEvent[] = [];

  /** `hang`: how the last worker of this slot that hung ended, or null. */
  constructor(hang: HangRecord | null) {
    if (hang !== null) {
      const { pid, at, plugin, function: functionName } = hang;
      const where = plugin === null ? 'outside plugins' : `in ${plugin}.${functionName}`;
      this.#events.push({ kind: 'hang', at, pid, text: where });
    }
    this.#add('started', Math.round(performance.timeOrigin));
  }

  get events(): readonly LifeEvent[] {
    return this.#events;
  }

  /** Closed is nothing to tell: nobody can ask any more. */
  reached(state: LifecycleState): void {
    if (state === 'ready' || state === 'draining') this.#add(state, Date.now());
  }

  #add(kind: LifeEvent['kind'], at: number): void {
    this.#events.push({ kind, at, pid: process.pid, text: '' });
  }
}
