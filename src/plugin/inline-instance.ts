/**
 * An instance that runs in the caller's own thread: kernel, guarded modules and host side, linked
 * by the SDK, called straight into wasm. What ends a call is the deadline's doing; what a call may
 * use is bounded by kernel, host side and guard.
 */
import { ServerError } from '../errors.ts';
import { COMMAND_ENTRY, type PluginInstance } from './compiled-plugin.ts';
import { freeDeadMemory, noteDeadPages } from './dead-memory.ts';
import { guestFailure } from './guest-failure.ts';
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
/** Larger guests get no snapshot for traps: it costs each instance 20 us a page at its start, and memory. */
const MAX_MENDED_PAGES = 32;
/** The log level of guests: all but trace. The log's own level filters further. */
const GUEST_LOG_LEVEL = 1;

/** Codes of errors that a host function ends a call with when it failed itself, or met the stack's end. */
const HOSTS_FAILURES: ReadonlySet<string> = new Set(['INTERNAL', 'PLUGIN_TRAPPED']);

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
  /** Whether the snapshot does not hold all that the poisoning call may have left. */
  #isBeyondRepair = false;
  /** Whether its initialisation did nothing but compute, so that laying back leaves none of it out. */
  #isPure = false;
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
    const { plan, loadTimeoutMs } = this.#options;
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
    this.#isPure = !(this.#parts.host.wasAsked || this.#parts.wasi?.wasAsked === true);
    if (this.#wantsSnapshot()) {
      this.#snapshot = new Snapshot(this.#parts.memory, this.#parts.globals);
    }
  }

  call(
    functionName: string,
    input: Uint8Array,
    hostContext?: unknown,
  ): Uint8Array | Promise<Uint8Array> {
    // Before the call's time begins, and not while a closed instance's successor is made, which is too soon.
    freeDeadMemory();
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
    if (this.#snapshot === null || this.#isClosed) return false;
    if (this.#isPoisoned && !this.#canMend()) return false;
    // Guest and kernel cannot give memory back, and a fresh call is to have all of the room.
    const taken = this.#parts.room.pages - this.#initialPages;
    if (taken > this.#options.memory.maxPages * LEAST_ROOM) return false;
    // Nor are callers to pay for what another one's call took.
    this.#idlePages += this.guestPages - (this.#parts.size?.value ?? this.guestPages);
    if (this.#idlePages > MAX_IDLE_PAGES) return false;
    this.#snapshot.restore();
    this.#parts.host.vars.clear();
    this.#isPoisoned = false;
    return true;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    noteDeadPages(this.guestPages + this.#giveKernelBack());
    this.#isPoisoned = true;
    this.#parts.wasi?.close();
    this.#parts.http?.close?.();
  }

  /**
   * Whether laying back gives what another instance would be: not where the call took memory, nor where
   * host functions may know this instance. What an initialisation drew at random, too, is drawn anew.
   */
  #canMend(): boolean {
    const hasHostFunctions = Object.keys(this.#options.hostFunctions).length > 0;
    const hasTaken = this.#parts.room.pages > this.#initialPages;
    return !(this.#isBeyondRepair || hasHostFunctions || hasTaken) && this.#isPure;
  }

  #wantsSnapshot(): boolean {
    const { snapshot } = this.#options;
    if (snapshot !== 'traps') return snapshot === 'calls';
    return this.#isPure && this.guestPages <= MAX_MENDED_PAGES;
  }

  /** If it is as it was at first, and no call that still waits and no host function can reach it. Else says how many pages go with it. */
  #giveKernelBack(): number {
    const { kernel, kernelInstance, isSuspending } = this.#parts;
    const { hostFunctions, kernels } = this.#options;
    const isReachable = isSuspending || Object.keys(hostFunctions).length > 0;
    if (this.#isPoisoned || isReachable || kernel.heapPages > LEAST_HEAP_PAGES) {
      return kernel.heapPages;
    }
    kernels.giveBack(kernelInstance);
    return 0;
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
      if (this.guestPages > this.#initialGuestPages) this.#condemn();
      throw error;
    }
  }

  #finish(returned: number | undefined): Uint8Array {
    const { deadline, kernel, wasi } = this.#parts;
    wasi?.end();
    if (deadline.error !== null) throw this.#poison(deadline.error);
    if (this.#isOutgrown()) this.#condemn();
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
    if (wasi === null || !wasi.isExit(thrown) || deadline.error !== null) {
      // A stack that is used up may have ended in the host's work.
      if (!(thrown instanceof WebAssembly.RuntimeError)) this.#condemn();
      const failure = this.#failure(thrown);
      wasi?.end();
      throw failure;
    }
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
    const { maxPages } = this.#options.memory;
    const failed = { wasi, maxPages, wasRefused: this.#wasRefused() };
    return this.#poison(deadline.error ?? guestFailure(thrown, failed));
  }

  /** Where the call failed: its work for the guest was broken off, or still goes on. */
  #mayHostBeAmidWork(): boolean {
    const { deadline, isSuspending } = this.#parts;
    return isSuspending || (deadline.error !== null && HOSTS_FAILURES.has(deadline.error.code));
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
    if (this.#mayHostBeAmidWork()) this.#isBeyondRepair = true;
    return error;
  }

  /** Poisons it for good. */
  #condemn(): void {
    this.#isPoisoned = true;
    this.#isBeyondRepair = true;
  }
}

function promising(exported: GuestFunction): SuspendableFunction {
  return WebAssembly.promising?.(exported) as SuspendableFunction;
}
