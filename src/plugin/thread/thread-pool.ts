/**
 * The threads of one plugin. One more than its instances need is kept, with an instance made, so that
 * the place of a thread that had to be ended is taken at once. A thread whose instance was closed in
 * good order makes the next one.
 */
import { ServerError } from '../../errors.ts';
import { OPERATION } from './call-memory.ts';
import type { PluginThread } from './plugin-thread.ts';

/** The spare, and one that is between two instances. */
const MAX_IDLE = 2;
/** A thread that is held by a system call cannot be ended; nobody waits for it longer. */
const CLOSE_MS = 1000;
const NOTHING = new Uint8Array(0);

interface Idle {
  readonly thread: PluginThread;
  /** Settles when its instance is made; null where nobody asked for one yet. */
  ready: Promise<unknown> | null;
}

export class ThreadPool {
  readonly #start: (onGone: (thread: PluginThread) => void) => PluginThread;
  readonly #all = new Set<PluginThread>();
  #idle: Idle[] = [];
  #isClosed = false;

  /** @param start starts a thread. */
  constructor(start: (onGone: (thread: PluginThread) => void) => PluginThread) {
    this.#start = start;
  }

  /** A thread with a new instance. @throws ServerError why there is none. */
  async acquire(): Promise<PluginThread> {
    if (this.#isClosed) throw new ServerError('SHUTTING_DOWN', 'the plugin is being closed');
    const next = this.#idle.find(({ ready }) => ready !== null) ?? this.#idle[0] ?? this.#add();
    this.#idle = this.#idle.filter((one) => one !== next);
    try {
      await prepare(next);
    } catch (error) {
      void next.thread.terminate();
      throw error;
    }
    // Not before: starting a thread takes the CPU that whoever waits here needs.
    this.#keepSpare();
    return next.thread;
  }

  /** Takes back a thread whose instance was closed. */
  release(thread: PluginThread): void {
    if (thread.isGone) return;
    if (this.#isClosed || this.#idle.length >= MAX_IDLE) void thread.terminate();
    else this.#idle.push({ thread, ready: null });
  }

  /** Ends every thread. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const ended = Promise.all([...this.#all].map((thread) => thread.terminate()));
    let timer: NodeJS.Timeout | undefined;
    const cap = new Promise((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    });
    await Promise.race([ended, cap]);
    clearTimeout(timer);
  }

  #keepSpare(): void {
    if (this.#isClosed) return;
    if (this.#idle.length === 0) this.#idle.push(this.#add());
    if (this.#idle.some(({ ready }) => ready !== null)) return;
    const spare = this.#idle[0] as Idle;
    // A spare that cannot be made is gone; whoever asks next makes one, and hears why it fails.
    prepare(spare).catch(() => spare.thread.terminate());
  }

  #add(): Idle {
    const thread = this.#start((gone) => {
      this.#idle = this.#idle.filter((one) => one.thread !== gone);
    });
    this.#all.add(thread);
    void thread.exited.then(() => this.#all.delete(thread));
    return { thread, ready: null };
  }
}

/** Has the thread make an instance, once. */
function prepare(idle: Idle): Promise<unknown> {
  idle.ready ??= Promise.resolve(
    idle.thread.ask({
      operation: OPERATION.instantiate,
      input: NOTHING,
      hostContext: undefined,
      restores: false,
    }),
  );
  return idle.ready;
}
