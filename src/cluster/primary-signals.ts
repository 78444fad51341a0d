/**
 * The signals of a primary, heard from the moment this is made: long before there are workers, while
 * configuration and plugins are checked. Unheard, SIGHUP would end the process then, and as the first
 * process of a container it would not get SIGTERM at all. It imports nothing, to be made early.
 */

export type PrimarySignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGUSR2';

const STOP: readonly PrimarySignal[] = ['SIGINT', 'SIGTERM'];
const ROLL: readonly PrimarySignal[] = ['SIGHUP', 'SIGUSR2'];

/** What `process` does here. */
export interface SignalSource {
  on(signal: PrimarySignal, listener: () => void): unknown;
}

export class PrimarySignals {
  /** Resolves at the first signal to stop. */
  readonly stopped: Promise<void>;
  /** Those that came before somebody followed. */
  readonly #early: PrimarySignal[] = [];
  #follower: ((signal: PrimarySignal) => void) | null = null;

  /** Listens from here on. */
  constructor(source: SignalSource = process) {
    this.stopped = new Promise((resolve) => {
      for (const signal of STOP) source.on(signal, () => resolve());
    });
    for (const signal of [...STOP, ...ROLL]) source.on(signal, () => this.#hear(signal));
  }

  /** Tells what came so far and whatever comes. */
  follow(follower: (signal: PrimarySignal) => void): void {
    this.#follower = follower;
    for (const signal of this.#early.splice(0)) follower(signal);
  }

  #hear(signal: PrimarySignal): void {
    if (this.#follower === null) this.#early.push(signal);
    else this.#follower(signal);
  }
}

export function isStop(signal: PrimarySignal): boolean {
  return STOP.includes(signal);
}
