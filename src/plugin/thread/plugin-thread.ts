/**
 * One thread as its caller has it: started, asked, and ended when a request is not answered in time,
 * whatever it is that holds the thread. What goes wrong with the thread itself becomes the error of
 * the request that runs; after that the thread is gone.
 */
import { MessageChannel, Worker } from 'node:worker_threads';
import { ServerError } from '../../errors.ts';
import { MAX_TIMER_MS } from '../../lock/lock.ts';
import type { GuestLine } from '../engine-environment.ts';
import type { GuestHttpLimits } from '../guest-http/guest-http-requester.ts';
import { createHttpChannel } from '../guest-http/http-channel.ts';
import { serveHttp } from '../guest-http/serve-http.ts';
import { createCallBuffer, type WORD } from './call-memory.ts';
import { CallerSide, type Request } from './caller-side.ts';
import type { ThreadPlugin, ThreadSetup } from './thread-setup.ts';

export interface PluginThreadOptions {
  readonly plugin: ThreadPlugin;
  /** null: the plugin may not fetch. */
  readonly http: GuestHttpLimits | null;
  /** What a request may take beyond its deadline, which the guard keeps in the thread. */
  readonly graceMs: number;
  readonly onLine: (line: GuestLine) => void;
  /** Told once when the thread can serve no more. */
  readonly onGone: (thread: PluginThread) => void;
}

/** Until a new thread looks for requests: 40 ms as a rule, more on a machine that is busy. */
const START_MS = 10_000;
/** Heap of a thread beside what its limits allow: the engine's own code, and host functions. */
const BASE_HEAP_MB = 96;
/**
 * Small, so that little outlives one collection at once: Node lets a heap at its limit have 16 MiB more
 * while it ends the thread, and what needs more than that ends the process.
 */
const YOUNG_HEAP_MB = 3;
const PAGES_PER_MB = 16;
const ENTRY = new URL(import.meta.resolve('#plugin-thread'));

export class PluginThread {
  readonly #options: PluginThreadOptions;
  readonly #worker: Worker;
  readonly #side: CallerSide;
  readonly #http: { readonly close: () => void } | null;
  /** Resolves when the thread has left. */
  readonly exited: Promise<void>;
  #isStarted = false;
  #isGone = false;

  constructor(options: PluginThreadOptions) {
    this.#options = options;
    const { plugin, http } = options;
    const { port1, port2 } = new MessageChannel();
    const channel = http === null ? null : createHttpChannel();
    this.#http = http === null || channel === null ? null : serveHttp(channel.host, http);
    const buffer = createCallBuffer();
    const setup: ThreadSetup = { ...plugin, buffer, port: port2, http: channel?.guest ?? null };
    this.#side = new CallerSide(buffer, port1, options.onLine);
    this.#worker = new Worker(ENTRY, {
      workerData: setup,
      transferList: [port2, ...(channel === null ? [] : [channel.guest.port])],
      // The SDK brings Node's WASI along, which warns once a thread; ours does not use it.
      execArgv: ['--disable-warning=ExperimentalWarning'],
      name: `plugin ${plugin.plugin}`,
      // Beyond the guest's memory, which is not of the heap but where the guest uses objects.
      resourceLimits: {
        maxYoungGenerationSizeMb: YOUNG_HEAP_MB,
        maxOldGenerationSizeMb: BASE_HEAP_MB + Math.ceil(plugin.memory.maxPages / PAGES_PER_MB),
      },
    });
    this.#worker.unref();
    this.#worker.on('error', (error) => this.#end(threadError(error)));
    this.exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#end(new ServerError('PLUGIN_TRAPPED', `the plugin's thread ended with code ${code}`));
        port1.close();
        resolve();
      });
    });
  }

  /** True once it can serve no more. */
  get isGone(): boolean {
    return this.#isGone;
  }

  report(word: keyof typeof WORD): number {
    return this.#side.report(word);
  }

  /**
   * One request at a time.
   * @throws ServerError the plugin's, at once or later; `CALL_DEADLINE` when the thread had to be
   * ended; `PLUGIN_TRAPPED` or `PLUGIN_LIMIT` when it ended by itself.
   */
  ask(request: Request): Uint8Array | Promise<Uint8Array> {
    if (this.#isGone) throw new ServerError('PLUGIN_TRAPPED', "the plugin's thread is gone");
    const reply = this.#side.ask(request);
    return reply instanceof Promise ? this.#inTime(reply, request) : reply;
  }

  /** Ends it, whatever it does. Resolves when it has left. Idempotent. */
  async terminate(): Promise<void> {
    this.#end(new ServerError('SHUTTING_DOWN', 'the plugin is being closed'));
    await this.exited;
  }
  async #inTime(reply: Promise<Uint8Array>, { operation }: Request): Promise<Uint8Array> {
    const { plugin, graceMs } = this.#options;
    const allowedMs = operation >= 0 ? plugin.timeoutMs : plugin.loadTimeoutMs;
    const startMs = this.#isStarted ? 0 : START_MS;
    const waitMs = Math.min(allowedMs + graceMs + startMs, MAX_TIMER_MS);
    // It keeps the process: somebody waits for this reply.
    const timer = setTimeout(() => this.#late(allowedMs), waitMs);
    try {
      return await reply;
    } finally {
      this.#isStarted = true;
      clearTimeout(timer);
    }
  }

  /** The reply may be there and wait for this event loop, which was held up itself. */
  #late(timeoutMs: number): void {
    this.#side.poll();
    if (!this.#side.isWaiting) return;
    this.#end(
      new ServerError('CALL_DEADLINE', `the call ran longer than ${timeoutMs} ms`, {
        details: { limit: 'timeoutMs', timeoutMs },
      }),
    );
  }

  #end(error: ServerError): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#http?.close();
    this.#options.onGone(this);
    void this.#worker.terminate();
    // It may have answered before it ended.
    this.#side.poll();
    this.#side.fail(error);
  }
}

function threadError(error: unknown): ServerError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new ServerError(
      'PLUGIN_LIMIT',
      "the plugin's thread needs more memory than it may have",
      {
        cause: error,
        details: { limit: 'memory.maxPages' },
      },
    );
  }
  return new ServerError('PLUGIN_TRAPPED', `the plugin's thread failed: ${message}`, {
    cause: error,
  });
}
