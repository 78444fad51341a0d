/**
 * The states of a worker's life, in the order they are passed through. One union for logs,
 * `/status`, metrics and tests; a state is never skipped backwards.
 */

export type LifecycleState = 'starting' | 'ready' | 'draining' | 'closed';

const ORDER: readonly LifecycleState[] = ['starting', 'ready', 'draining', 'closed'];

/** Holds the state of one process and tells who asked to hear of changes. */
export class Lifecycle {
  #state: LifecycleState = 'starting';
  readonly #onChange: (state: LifecycleState, previous: LifecycleState) => void;

  constructor(onChange: (state: LifecycleState, previous: LifecycleState) => void = () => {}) {
    this.#onChange = onChange;
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** Moves on. Returns false, and does nothing, when that state was reached or passed before. */
  advance(next: LifecycleState): boolean {
    if (ORDER.indexOf(next) <= ORDER.indexOf(this.#state)) return false;
    const previous = this.#state;
    this.#state = next;
    this.#onChange(next, previous);
    return true;
  }
}
