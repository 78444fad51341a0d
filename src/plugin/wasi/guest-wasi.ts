/**
 * WASI preview 1 for one instance of a plugin, in place of the SDK's: no arguments, environment,
 * input, sockets or signals; output as bounded lines; sleeping and waiting never past the call's
 * deadline; files only in the directories named, through node:wasi, and without it where there are
 * none. Nothing is thrown into the guest but the exit that it asked for itself.
 */
import { ServerError } from '../../errors.ts';
import type { LogLimits } from '../kernel/guest-log.ts';
import { Descriptors } from './descriptors.ts';
import { ERRNO, type Errno } from './errno.ts';
import { FD_FUNCTIONS, release } from './fd-functions.ts';
import { GuestMemory } from './guest-memory.ts';
import { LineOutput, type OutputSink } from './line-output.ts';
import { createMounts, type Preopen } from './mounts.ts';
import { NodeFiles } from './node-files.ts';
import { PATH_FUNCTIONS } from './path-functions.ts';
import { pollOneoff } from './poll-oneoff.ts';
import { SYSTEM_FUNCTIONS } from './system-functions.ts';
import { TRANSFER_FUNCTIONS } from './transfer-functions.ts';
import type { WasiFunction, WasiState } from './wasi-state.ts';

export interface GuestWasiOptions {
  /** Directories that the guest may use; it gets them as descriptors 3 and up, in this order. */
  readonly preopens: readonly Preopen[];
  readonly outputSink: OutputSink;
  /** Bounds of the lines of stdout and stderr together. */
  readonly output: LogLimits;
  /** Milliseconds that the running call has left; 0 or less when its time is over. */
  readonly remainingMs: () => number;
  /** Makes the guest trap soon if its time is over; must not throw. */
  readonly checkDeadline: () => void;
  /** Whether the running call has to end already, without a look at the clock. */
  readonly isOver: () => boolean;
  /** Called at most once in a call; must make the guest trap soon, and must not throw. */
  readonly trip: (error: ServerError) => void;
}

/** Shaped for the SDK's `functions`: its own call context comes first and is not used. */
export type GuestWasiFunction = (
  sdkContext: unknown,
  ...values: (number | bigint)[]
) => Errno | undefined;

const FUNCTIONS: readonly (readonly [name: string, work: WasiFunction])[] = Object.entries({
  ...SYSTEM_FUNCTIONS,
  ...FD_FUNCTIONS,
  ...TRANSFER_FUNCTIONS,
  ...PATH_FUNCTIONS,
  poll_oneoff: pollOneoff,
});

/** What unwinds a guest that called `proc_exit`: an object of nobody else's. */
const EXIT = Object.freeze({ name: 'WasiExit' });

/** @throws ServerError `CONFIG_INVALID` when a preopened directory cannot be used. */
export function createGuestWasi(options: GuestWasiOptions): GuestWasi {
  return new GuestWasi(options);
}

export class GuestWasi {
  /** Goes to the SDK as `functions['plugind:wasi']`. One object for one instance, never shared. */
  readonly functions: Readonly<Record<string, GuestWasiFunction>>;
  readonly #options: GuestWasiOptions;
  readonly #state: WasiState;
  #exitCode: number | null = null;
  #isTripped = false;
  #wasAsked = false;

  constructor(options: GuestWasiOptions) {
    this.#options = options;
    const mounts = createMounts(options.preopens);
    this.#state = {
      memory: new GuestMemory(),
      output: new LineOutput(options.outputSink, options.output),
      descriptors: new Descriptors(mounts),
      files: mounts.length === 0 ? null : new NodeFiles(mounts),
      remainingMs: options.remainingMs,
    };
    this.functions = this.#createFunctions();
  }

  /** Joins the guest's memory once it is instantiated; until then every pointer is out of bounds. */
  attach(memory: WebAssembly.Memory): void {
    this.#state.memory.attach(memory);
  }

  /** Before each call. Stdin, stdout and stderr are there again; opened files stay open. */
  begin(): void {
    this.#exitCode = null;
    this.#isTripped = false;
    this.#state.output.begin();
    for (const replaced of this.#state.descriptors.resetStdio()) release(this.#state, replaced);
  }

  /** After each call, however it went: gives the sink a last line without a newline. */
  end(): void {
    this.#state.output.end();
  }

  /** What the guest gave `proc_exit` in this call; null while it did not. */
  get exitCode(): number | null {
    return this.#exitCode;
  }

  /** Whether the guest ever called a function, as for random bytes. */
  get wasAsked(): boolean {
    return this.#wasAsked;
  }

  /** Whether that is what ended the guest's function, and not a trap. */
  isExit(thrown: unknown): boolean {
    return thrown === EXIT;
  }

  /** Closes the guest's files. Idempotent; afterwards every descriptor is bad. */
  close(): void {
    this.#state.descriptors.clear();
    this.#state.files?.close();
  }

  #createFunctions(): Readonly<Record<string, GuestWasiFunction>> {
    const functions: Record<string, GuestWasiFunction> = {
      proc_exit: (_sdk, code) => {
        this.#exitCode ??= (code as number) >>> 0;
        throw EXIT;
      },
    };
    for (const [name, work] of FUNCTIONS) {
      functions[name] = (_sdk, ...values) => this.#run(work, values);
    }
    return functions;
  }

  #run(work: WasiFunction, values: readonly (number | bigint)[]): Errno {
    this.#wasAsked = true;
    // A guest can catch what is thrown; it does not come far.
    if (this.#exitCode !== null) throw EXIT;
    if (this.#isTripped || this.#options.isOver()) return ERRNO.canceled;
    try {
      return work(this.#state, ...(values as readonly never[]));
    } catch (thrown) {
      this.#isTripped = true;
      this.#options.trip(ServerError.from(thrown));
      return ERRNO.canceled;
    } finally {
      this.#options.checkDeadline();
    }
  }
}
