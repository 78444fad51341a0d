/** What the engine needs of the process around it. */
import type { Clock } from '../lock/lock.ts';
import type { GuestLogLevel } from './kernel/guest-log.ts';

/** One line that a guest wrote: through Extism's log functions, or to its standard output or error. */
export interface GuestLine {
  readonly plugin: string;
  readonly source: 'log' | 'stdout' | 'stderr';
  readonly level: GuestLogLevel;
  /** Printable: control characters, line breaks and direction marks are escaped. */
  readonly message: string;
  /** Bytes of the guest's line that were cut off. */
  readonly truncatedBytes: number;
}

export interface EngineEnvironment {
  readonly clock: Clock;
  /** Takes each line at once; must not throw. */
  readonly onGuestLine: (line: GuestLine) => void;
}
