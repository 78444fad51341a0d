/**
 * What one kernel instance imports from the host: config, variables, log lines, HTTP. Each function
 * is bounded, looks at the deadline when it is done, and never throws: a guest's catch_all could
 * swallow that. What goes wrong is kept (`tripped`) and told to `trip`, which takes the guest's fuel
 * away, so that it traps at its next check; the call then ends with that error.
 */
import { ServerError } from '../../errors.ts';
import { MAX_TIMER_MS } from '../../lock/lock.ts';
import { GuestLog, type LogLimits, type LogSink } from './guest-log.ts';
import type { GuestHttp, GuestHttpResponse } from './http-host.ts';
import type { Kernel } from './kernel.ts';
import { type VarLimits, VarStore } from './var-store.ts';

export interface KernelHostOptions {
  /** What `config_get` reads: own properties only. */
  readonly config: Readonly<Record<string, string>>;
  readonly vars: VarLimits;
  readonly log: LogLimits;
  readonly logSink: LogSink;
  /** null: `http_request` is refused with a log line, and gives the guest 0. */
  readonly http: GuestHttp | null;
  /** Whether the kernel's memory may grow by so many pages of 64 KiB; must not throw. */
  readonly mayGrow: (pages: number) => boolean;
  /** Allocations over the memory limit that get 0 before the call is ended. */
  readonly maxRefusedAllocations: number;
  /** Called at most once in a call; must make the guest trap soon, and must not throw. */
  readonly trip: (error: ServerError) => void;
  /** Makes the guest trap soon if its time is over; must not throw. */
  readonly checkDeadline: () => void;
  /** Whether the running call has to end already, without a look at the clock. */
  readonly isOver: () => boolean;
  /** Milliseconds that the running call has left; 0 when its time is over. */
  readonly remainingMs: () => number;
}

/** V8's words for it. */
const STACK_END = 'Maximum call stack size exceeded';

/** Shaped for the SDK's `functions`: its own call context comes first and is not used. */
export type KernelHostFunction = (sdkContext: unknown, ...numbers: number[]) => unknown;

export class KernelHost {
  /** Goes to the SDK as `functions['plugind:host']`. One object for one instance, never shared. */
  readonly functions: Readonly<Record<string, KernelHostFunction>>;
  readonly vars: VarStore;
  readonly #options: KernelHostOptions;
  readonly #config: ReadonlyMap<string, string>;
  readonly #maxConfigKeyBytes: number;
  readonly #log: GuestLog;
  #kernel: Kernel | null = null;
  #tripped: ServerError | null = null;
  #refusals = 0;
  #wasAsked = false;
  #httpHeaders: Readonly<Record<string, string>> | null = null;

  constructor(options: KernelHostOptions) {
    this.#options = options;
    this.#config = new Map(Object.entries(options.config));
    this.#maxConfigKeyBytes = Math.max(
      0,
      ...[...this.#config.keys()].map((key) => Buffer.byteLength(key)),
    );
    this.#log = new GuestLog(options.logSink, options.log);
    this.vars = new VarStore(options.vars);
    this.functions = this.#createFunctions();
  }

  /** Whether `http_request` waits with the guest suspended. */
  get suspends(): boolean {
    return this.#options.http?.kind === 'suspending';
  }

  /** Joins the kernel once it is instantiated; until then every function answers "nothing". */
  attach(kernel: Kernel): void {
    this.#kernel = kernel;
  }

  /** Call it with `Kernel.begin`. Variables stay; `vars.clear()` is for who wants none to. */
  begin(): void {
    this.#tripped = null;
    this.#refusals = 0;
    this.#httpHeaders = null;
    this.#log.begin();
  }

  /** Why this call has to fail whatever the guest returns; null while all is well. */
  get tripped(): ServerError | null {
    return this.#tripped;
  }

  /** Whether the guest ever had the host do anything. */
  get wasAsked(): boolean {
    return this.#wasAsked;
  }

  /** Ends the running call with this error; the first one counts. */
  trip(error: ServerError): void {
    if (this.#tripped !== null) return;
    this.#tripped = error;
    this.#options.trip(error);
  }

  /** For work of any length: its time is the call's from its beginning, not from its first check. */
  startClock(): void {
    this.#options.remainingMs();
  }

  /**
   * Runs a host function's work: not at all in a call that is ending, and without letting a throw
   * reach the guest. Also for an embedder's own functions.
   */
  run<T>(otherwise: T, work: (kernel: Kernel) => T): T {
    this.#wasAsked = true;
    const kernel = this.#kernel;
    if (kernel === null || this.#isEnding()) return otherwise;
    try {
      return work(kernel);
    } catch (thrown) {
      this.trip(failureOf(thrown));
      return otherwise;
    } finally {
      this.#options.checkDeadline();
    }
  }

  /** As {@link run}, for work that waits while the guest is suspended: no longer than the call may take. */
  async runSuspended<T>(otherwise: T, work: (kernel: Kernel) => Promise<T>): Promise<T> {
    this.#wasAsked = true;
    const kernel = this.#kernel;
    if (kernel === null || this.#isEnding()) return otherwise;
    try {
      return await this.#untilDeadline(work(kernel), otherwise);
    } catch (thrown) {
      this.trip(failureOf(thrown));
      return otherwise;
    } finally {
      this.#options.checkDeadline();
    }
  }

  /** Between here and its trap the guest may call as often as its code has room for. */
  #isEnding(): boolean {
    return this.#tripped !== null || this.#options.isOver();
  }

  /** What comes later is dropped: by then the call has ended and its instance is closed. */
  async #untilDeadline<T>(pending: Promise<T>, otherwise: T): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<T>((resolve) => {
      // Timers fire up to a millisecond early.
      const remainingMs = Math.ceil(this.#options.remainingMs()) + 1;
      timer = setTimeout(() => resolve(otherwise), Math.min(remainingMs, MAX_TIMER_MS));
    });
    try {
      return await Promise.race([pending, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #createFunctions(): Readonly<Record<string, KernelHostFunction>> {
    return {
      config_get: (_sdk, key: number, length: number) =>
        this.run(0, (kernel) => this.#configGet(kernel, key, length)),
      var_get: (_sdk, key: number, length: number) =>
        this.run(0, (kernel) => this.#varGet(kernel, key, length)),
      var_set: (_sdk, key: number, length: number, value: number, valueLength: number) =>
        this.run(undefined, (kernel) => this.#varSet(kernel, key, length, value, valueLength)),
      log: (_sdk, level: number, line: number, length: number) =>
        this.run(undefined, (kernel) => this.#log.write(kernel, level, line, length)),
      may_grow: (_sdk, pages: number) => (this.#options.mayGrow(pages) ? 1 : 0),
      refused: () => this.run(undefined, () => this.#countRefusal()),
      http_request: this.#createHttpRequest(),
      http_headers: () =>
        this.run(0, (kernel) =>
          this.#httpHeaders === null ? 0 : store(kernel, JSON.stringify(this.#httpHeaders)),
        ),
    };
  }

  #configGet(kernel: Kernel, key: number, length: number): number {
    if (length > this.#maxConfigKeyBytes) return 0;
    const value = this.#config.get(kernel.text(key, length));
    return value === undefined ? 0 : store(kernel, value);
  }

  #varGet(kernel: Kernel, key: number, length: number): number {
    if (length > this.vars.maxBytes) return 0;
    const value = this.vars.get(kernel.text(key, length));
    return value === undefined ? 0 : store(kernel, value);
  }

  #varSet(kernel: Kernel, key: number, length: number, value: number, valueLength: number): void {
    // A name that cannot fit is not decoded: that would cost more than the limit it breaks.
    const name = kernel.text(key, Math.min(length, this.vars.maxBytes + 1));
    if (value === 0) this.vars.delete(name);
    else this.vars.set(name, kernel.view(value, valueLength));
  }

  #countRefusal(): void {
    this.#refusals++;
    if (this.#refusals > this.#options.maxRefusedAllocations) throw memoryLimit();
  }

  #createHttpRequest(): KernelHostFunction {
    const { http } = this.#options;
    if (http === null) {
      return () =>
        this.run(0, (kernel) => {
          this.#log.report(kernel, 'error', 'http_request is refused: there are no allowed hosts');
          return 0;
        });
    }
    if (http.kind === 'blocking') {
      return (_sdk, request: number, length: number, body: number, bodyLength: number) =>
        this.run(0, (kernel) => {
          const bytes = this.#beginHttp(kernel, request, length, body, bodyLength);
          return this.#endHttp(kernel, http.request(...bytes));
        });
    }
    // The SDK wraps with `WebAssembly.Suspending` what is declared async, and nothing else.
    return async (_sdk, request: number, length: number, body: number, bodyLength: number) =>
      this.runSuspended(0, async (kernel) => {
        const bytes = this.#beginHttp(kernel, request, length, body, bodyLength);
        return this.#endHttp(kernel, await http.request(...bytes));
      });
  }

  #beginHttp(
    kernel: Kernel,
    request: number,
    length: number,
    body: number,
    bodyLength: number,
  ): [Uint8Array, Uint8Array | null] {
    kernel.httpStatus = 0;
    this.#httpHeaders = null;
    return [kernel.copy(request, length), body === 0 ? null : kernel.copy(body, bodyLength)];
  }

  #endHttp(kernel: Kernel, response: GuestHttpResponse): number {
    kernel.httpStatus = response.status;
    this.#httpHeaders = response.headers;
    return store(kernel, response.body);
  }
}

/** The stack is used up by the guest's recursion, wherever on it a host function meets the end. */
function failureOf(thrown: unknown): ServerError {
  const isStackEnd = thrown instanceof RangeError && thrown.message === STACK_END;
  return ServerError.from(thrown, isStackEnd ? 'PLUGIN_TRAPPED' : 'INTERNAL');
}

/** @throws ServerError `PLUGIN_LIMIT` when the kernel has no room. Empty content gives 0, as in Extism. */
function store(kernel: Kernel, content: Uint8Array | string): number {
  const pointer = kernel.store(content);
  if (pointer === 0 && content.length > 0) throw memoryLimit();
  return pointer;
}

function memoryLimit(): ServerError {
  return new ServerError('PLUGIN_LIMIT', 'the plugin needs more memory than it may have', {
    details: { limit: 'memory.maxPages' },
  });
}
