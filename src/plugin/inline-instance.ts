/**
 * An instance that runs in the caller's own thread: kernel, guarded modules and host side, linked
 * by the SDK, called straight into wasm. What ends a call is the deadline's doing; what a call may
 * use is bounded by kernel, host side and guard.
 */
import { ServerError } from '../errors.ts';
import { COMMAND_ENTRY, type PluginInstance } from './compiled-plugin.ts';
import { type InlineParts, linkParts } from './inline-parts.ts';
import type { InstanceOptions } from './instance-options.ts';
import { LEAST_HEAP_PAGES } from './kernel/kernel.ts';
import { Snapshot } from './snapshot.ts';

const WASM_PAGE_BYTES = 65_536;
/** Part of the page limit that has to be left for the next call once memory grew. */
const LEAST_ROOM = 1 / 8;
/**
 * Pages that may be zeroed for nothing, call by call, before a new instance costs less: zeroing so many
 * takes 0.7 ms, more where they do not fit the cache, and a new instance 1 to 2 ms.
 */
const MAX_IDLE_PAGES = 500;
/** The log level of guests: all but trace. The log's own level filters further. */
const GUEST_LOG_LEVEL = 1;

/** What wasm gives back: an error code, or nothing. */
type GuestFunction = () => number | undefined;
type SuspendableFunction = () => Promise<number | undefined>;

/** Links, initialises and, where it is to be restored, takes the snapshot. @throws as {@link CompiledPlugin.instantiate}. */
export async function createInlineInstance(options: InstanceOptions): Promise<PluginInstance> {
  const parts = await linkParts(options);
  const instance = new InlineInstance(options, parts);
  try {
    instance.initialise();
  } catch (error) {
    await instance.close();
    throw error;
  }
  return instance;
}

class InlineInstance implements PluginInstance {
  readonly #options: InstanceOptions;
  readonly #parts: InlineParts;
  readonly #functions = new Map<string, GuestFunction>();
  readonly #suspendable = new Map<string, SuspendableFunction>();
  #snapshot: Snapshot | null = null;
  /** Pages after initialisation: of the guests, and of guests and kernel together. */
  #initialGuestPages = 0;
  #initialPages = 0;
  /** Whether calls before the running one took memory, which this one cannot have. */
  #hasGrown = false;
  /** Pages that one call took and a later one did not use, added up over all of them. */
  #idlePages = 0;
  #isPoisoned = false;
  #isClosed = false;

  constructor(options: InstanceOptions, parts: InlineParts) {
    this.#options = options;
    this.#parts = parts;
    for (const [name, as] of options.plan.calls) {
      const exported = parts.exports[as] as GuestFunction;
      if (parts.isSuspending) this.#suspendable.set(name, promising(exported));
      else this.#functions.set(name, exported);
    }
  }

  get isPoisoned(): boolean {
    return this.#isPoisoned;
  }

  get memoryBytes(): number {
    return this.guestPages * WASM_PAGE_BYTES + this.#parts.kernel.memoryBytes;
  }

  get guestPages(): number {
    return this.#parts.room.guestPages;
  }

  /** Runs what the modules want run before their first call, in one deadline. */
  initialise(): void {
    const { plan, loadTimeoutMs, canRestore } = this.#options;
    this.#begin(new Uint8Array(0), loadTimeoutMs, undefined);
    try {
      for (const name of plan.modules.flatMap(({ initialisers }) => initialisers)) {
        // hs_init takes argc and argv; wasm ignores arguments too many.
        (this.#parts.exports[name] as (...args: number[]) => void)(0, 0);
      }
    } catch (thrown) {
      throw this.#failure(thrown);
    } finally {
      this.#parts.wasi?.end();
    }
    const { error } = this.#parts.deadline;
    if (error !== null) throw error;
    this.#initialGuestPages = this.guestPages;
    this.#initialPages = this.#parts.room.pages;
    if (canRestore) this.#snapshot = new Snapshot(this.#parts.memory, this.#parts.globals);
  }

  call(
    functionName: string,
    input: Uint8Array,
    hostContext?: unknown,
  ): Uint8Array | Promise<Uint8Array> {
    const guest = this.#functions.get(functionName);
    if (guest === undefined) return this.#callSuspendable(functionName, input, hostContext);
    this.#begin(input, this.#options.timeoutMs, hostContext);
    let returned: number | undefined;
    try {
      returned = guest();
    } catch (thrown) {
      returned = this.#exitOf(functionName, thrown);
    }
    return this.#finish(returned);
  }

  restore(): boolean {
    if (this.#snapshot === null || this.#isPoisoned) return false;
    // Guest and kernel cannot give memory back, and a fresh call is to have all of the room.
    const taken = this.#parts.room.pages - this.#initialPages;
    if (taken > this.#options.memory.maxPages * LEAST_ROOM) return false;
    // Nor are callers to pay for what another one's call took.
    this.#idlePages += this.guestPages - (this.#parts.size?.value ?? this.guestPages);
    if (this.#idlePages > MAX_IDLE_PAGES) return false;
    this.#snapshot.restore();
    this.#parts.host.vars.clear();
    return true;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#giveKernelBack();
    this.#isPoisoned = true;
    this.#parts.wasi?.close();
    this.#parts.http?.close?.();
  }

  /** One as it was at first, which no call that still waits and no host function can reach any more. */
  #giveKernelBack(): void {
    const { kernel, kernelInstance, isSuspending } = this.#parts;
    const { hostFunctions, kernels } = this.#options;
    if (this.#isPoisoned || isSuspending || Object.keys(hostFunctions).length > 0) return;
    if (kernel.heapPages === LEAST_HEAP_PAGES) kernels.giveBack(kernelInstance);
  }

  async #callSuspendable(
    functionName: string,
    input: Uint8Array,
    hostContext: unknown,
  ): Promise<Uint8Array> {
    const guest = this.#suspendable.get(functionName);
    if (guest === undefined) {
      throw new ServerError('FUNCTION_NOT_EXPORTED', `there is no function "${functionName}"`);
    }
    this.#begin(input, this.#options.timeoutMs, hostContext);
    let returned: number | undefined;
    try {
      returned = await guest();
    } catch (thrown) {
      returned = this.#exitOf(functionName, thrown);
    }
    return this.#finish(returned);
  }

  #begin(input: Uint8Array, timeoutMs: number, hostContext: unknown): void {
    const { deadline, host, context, kernel, room, wasi } = this.#parts;
    deadline.start(timeoutMs);
    host.begin();
    room.begin();
    context.begin(hostContext);
    wasi?.begin();
    // A host function may have set another, which was for that call.
    kernel.logLevel = GUEST_LOG_LEVEL;
    try {
      kernel.begin(input);
    } catch (error) {
      // Too little room for this input, and a guest that grew is why. Else nothing has run, all is as
      // it was, and a new instance would only let callers with large inputs slow down the others.
      if (this.guestPages > this.#initialGuestPages) this.#isPoisoned = true;
      throw error;
    }
  }

  #finish(returned: number | undefined): Uint8Array {
    const { deadline, kernel, wasi } = this.#parts;
    wasi?.end();
    if (deadline.error !== null) throw this.#poison(deadline.error);
    if (this.#isOutgrown()) this.#isPoisoned = true;
    try {
      return kernel.finish(returned);
    } catch (error) {
      // What the guest says of its input leaves it whole; an output that cannot be taken does not.
      if (!(error instanceof ServerError && error.code === 'PLUGIN_ERROR')) this.#isPoisoned = true;
      throw error;
    }
  }

  /** The exit code of a command that left by `proc_exit`. @throws ServerError for every other throw. */
  #exitOf(functionName: string, thrown: unknown): number {
    const { wasi, deadline } = this.#parts;
    if (wasi === null || !wasi.isExit(thrown) || deadline.error !== null)
      throw this.#failure(thrown);
    const exitCode = wasi.exitCode ?? 0;
    if (functionName === COMMAND_ENTRY) return exitCode;
    throw this.#poison(
      new ServerError('PLUGIN_ERROR', `the plugin exited with code ${exitCode}`, {
        details: { exitCode },
      }),
    );
  }

  /** Why the guest stopped: the limit that ended it, the memory it could not get, or its own trap. */
  #failure(thrown: unknown): ServerError {
    const { deadline, wasi } = this.#parts;
    if (deadline.error !== null) return this.#poison(deadline.error);
    const { maxPages } = this.#options.memory;
    if (this.#wasRefused()) {
      const message = `the plugin needs more than ${maxPages} pages of memory`;
      const details = { limit: 'memory.maxPages', maxPages };
      return this.#poison(new ServerError('PLUGIN_LIMIT', message, { cause: thrown, details }));
    }
    const reason =
      wasi?.isExit(thrown) === true
        ? `the plugin exited with code ${wasi.exitCode}`
        : thrown instanceof Error
          ? thrown.message
          : String(thrown);
    return this.#poison(new ServerError('PLUGIN_TRAPPED', reason, { cause: thrown }));
  }

  /** Memory never shrinks, so the next callers would pay for what this one's call took. */
  #isOutgrown(): boolean {
    const { maxPages } = this.#options.memory;
    const { pages } = this.#parts.room;
    const hadGrown = this.#hasGrown;
    this.#hasGrown = pages > this.#initialPages;
    if (hadGrown && this.#wasRefused()) return true;
    return this.#hasGrown && maxPages - pages < maxPages * LEAST_ROOM;
  }

  #wasRefused(): boolean {
    return this.#parts.room.hasRefused || this.#parts.kernel.refusedAllocations > 0;
  }

  #poison(error: ServerError): ServerError {
    this.#isPoisoned = true;
    return error;
  }
}

function promising(exported: GuestFunction): SuspendableFunction {
  return WebAssembly.promising?.(exported) as SuspendableFunction;
}
