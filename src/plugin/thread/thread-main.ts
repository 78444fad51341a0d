/**
 * What runs in a plugin's thread: one instance after another, made and called as in the worker's own
 * thread, and how the thread waits for what its caller's thread, or a promise, has to bring.
 */
import type { PluginInstance } from '../compiled-plugin.ts';
import type { GuestLine } from '../engine-environment.ts';
import { createBlockingHttp } from '../guest-http/blocking-http.ts';
import type { HttpChannelEnd } from '../guest-http/http-channel.ts';
import { guestSinks } from '../guest-sinks.ts';
import { createInlineInstance } from '../inline-instance.ts';
import type { InstanceOptions } from '../instance-options.ts';
import { KernelStore } from '../kernel/kernel-store.ts';
import { OPERATION } from './call-memory.ts';
import type { RequestHandler } from './callee-side.ts';
import { loadThreadFunctions } from './load-thread-functions.ts';
import type { ThreadSetup } from './thread-setup.ts';

const NOTHING = new Uint8Array(0);

export class ThreadMain implements RequestHandler {
  readonly #functions: readonly string[];
  readonly #options: Promise<InstanceOptions>;
  #instance: PluginInstance | null = null;

  constructor(setup: ThreadSetup, onLine: (line: GuestLine) => void) {
    this.#functions = [...setup.plan.calls.keys()];
    this.#options = instanceOptions(setup, onLine);
    // It is told to whoever asks for an instance.
    this.#options.catch(() => {});
  }

  get isPoisoned(): boolean {
    return this.#instance?.isPoisoned ?? false;
  }

  get guestPages(): number {
    return this.#instance?.guestPages ?? 0;
  }

  get memoryBytes(): number {
    return this.#instance?.memoryBytes ?? 0;
  }

  handle(
    operation: number,
    input: Uint8Array,
    hostContext: unknown,
  ): Uint8Array | Promise<Uint8Array> {
    if (operation === OPERATION.instantiate) return this.#instantiate();
    if (operation === OPERATION.close) return this.#close();
    // Restoring is what follows each request that asks for it.
    if (operation === OPERATION.restore) return NOTHING;
    const instance = this.#instance as PluginInstance;
    return instance.call(this.#functions[operation] as string, input, hostContext);
  }

  /** One that is poisoned is left so: whoever has the instance is to know of it. */
  restore(): boolean | Promise<boolean> {
    const instance = this.#instance;
    return instance !== null && !instance.isPoisoned && instance.restore();
  }

  async #instantiate(): Promise<Uint8Array> {
    this.#instance = await createInlineInstance(await this.#options);
    return NOTHING;
  }

  async #close(): Promise<Uint8Array> {
    const instance = this.#instance;
    this.#instance = null;
    await instance?.close();
    return NOTHING;
  }
}

async function instanceOptions(
  setup: ThreadSetup,
  onLine: (line: GuestLine) => void,
): Promise<InstanceOptions> {
  const { plugin, hostFunctions, http, ...same } = setup;
  return {
    ...same,
    ...guestSinks(plugin, onLine),
    plugin,
    hostFunctions: await loadThreadFunctions({ name: plugin, hostFunctions }),
    kernels: new KernelStore(),
    createHttp: http === null ? null : httpFactory(http),
    clock: () => performance.now(),
  };
}

/** One for all instances of the thread: it numbers its questions, and a late answer must fit none. */
function httpFactory(end: HttpChannelEnd): InstanceOptions['createHttp'] {
  let left = (): number => 0;
  const http = createBlockingHttp(end, () => left());
  return (remainingMs) => {
    left = remainingMs;
    return http;
  };
}
