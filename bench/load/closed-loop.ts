/** Each connection sends its next request when an answer came: as fast as the server lets it. */
import type { Connection } from './connection.ts';
import type { Pace, PaceContext } from './phase.ts';

export class ClosedLoop implements Pace {
  readonly #context: PaceContext;
  readonly #takeOne: () => boolean;
  readonly #endsAt: number;

  /** `takeOne` takes one of the phase's number of requests, false when none is left. */
  constructor(context: PaceContext, takeOne: () => boolean) {
    this.#context = context;
    const { order, startedAt } = context;
    this.#takeOne = order.requests === null ? () => true : takeOne;
    this.#endsAt =
      order.requests === null ? startedAt + order.durationMs : Number.POSITIVE_INFINITY;
  }

  #hasNoMore = false;

  start(): void {
    for (const connection of this.#context.connections) this.onRoom(connection);
  }

  onRoom(connection: Connection): void {
    const { nextNumber, recorder } = this.#context;
    const now = performance.now();
    while (connection.room > 0 && !this.isOver() && this.#mayTake()) {
      recorder.written++;
      connection.send(nextNumber(), now);
    }
    connection.flush();
  }

  onTick(): void {}

  isOver(): boolean {
    return this.#hasNoMore || performance.now() >= this.#endsAt;
  }

  #mayTake(): boolean {
    this.#hasNoMore = !this.#takeOne();
    return !this.#hasNoMore;
  }
}
