/**
 * The place of one instance, and the lock's permit for it. It decides after each call whether the
 * instance may serve another: one that is poisoned, used up or meant for a single call is replaced.
 */
import { ServerError } from '../errors.ts';
import type { Call } from './call-job.ts';
import type { CallMarker } from './call-marker.ts';
import type { FreshWay } from './choose-fresh-way.ts';
import { COMMAND_ENTRY, type CompiledPlugin, type PluginInstance } from './compiled-plugin.ts';
import type { InstanceState, ReplaceReason } from './observer.ts';

export interface SlotPolicy {
  /** null: state survives between calls. */
  readonly fresh: FreshWay | null;
  /** Replace after this many calls; 0 is never. */
  readonly maxCalls: number;
  /** Replace once guest memory holds this many pages; 0 is never. */
  readonly maxGuestPages: number;
}

export interface InstanceSlotOptions {
  /** Name of the plugin. */
  readonly plugin: string;
  /** Told what holds this thread, for who watches it. */
  readonly marker: CallMarker;
  readonly compiled: CompiledPlugin;
  readonly policy: SlotPolicy;
  readonly onReplaced: (reason: ReplaceReason) => void;
}

export class InstanceSlot {
  readonly #options: InstanceSlotOptions;
  #instance: PluginInstance | null;
  #state: InstanceState = 'ready';
  #calls = 0;
  #hasRunCommand = false;

  constructor(options: InstanceSlotOptions, instance: PluginInstance) {
    this.#options = options;
    this.#instance = instance;
  }

  get state(): InstanceState {
    return this.#state;
  }

  get memoryBytes(): number {
    return this.#instance?.memoryBytes ?? 0;
  }

  /**
   * As {@link PluginInstance.call}. A slot that is empty, left by a replacement that failed, or whose
   * instance broke while nobody called it, as a thread can, is filled first.
   */
  call(call: Call): Uint8Array | Promise<Uint8Array> {
    const instance = this.#instance;
    if (instance !== null && !instance.isPoisoned) return this.#enter(instance, call);
    return this.#callAnother(instance, call);
  }

  /** After each call, before the permit is given back. A promise where the next caller has to wait. */
  settle(): undefined | Promise<void> {
    const instance = this.#instance;
    if (instance === null) return undefined;
    const { fresh, maxCalls } = this.#options.policy;
    if (instance.isPoisoned) return this.#mend(instance);
    if (fresh === 'instantiate' || this.#hasRunCommand) return this.#replace(instance, null);
    if (maxCalls > 0 && this.#calls >= maxCalls) return this.#replace(instance, 'calls');
    if (this.#isTooLarge(instance)) return this.#replace(instance, 'pages');
    return fresh === 'restore' ? this.#restore(instance) : undefined;
  }

  async close(): Promise<void> {
    const instance = this.#instance;
    this.#instance = null;
    await instance?.close();
  }

  /** The thread is in the guest until this returns, also where what is returned is still to come. */
  #enter(
    instance: PluginInstance,
    { functionName, input, hostContext }: Call,
  ): Uint8Array | Promise<Uint8Array> {
    const { plugin, marker } = this.#options;
    this.#calls++;
    this.#hasRunCommand = functionName === COMMAND_ENTRY;
    marker.begin(plugin, functionName);
    try {
      return instance.call(functionName, input, hostContext);
    } finally {
      marker.end();
    }
  }

  async #callAnother(broken: PluginInstance | null, call: Call): Promise<Uint8Array> {
    if (broken !== null) {
      this.#instance = null;
      this.#options.onReplaced('poisoned');
      await broken.close().catch(() => {});
    }
    const another = await this.#fill().catch((thrown) => {
      throw unfilled(thrown);
    });
    return this.#enter(another, call);
  }

  /** Laid back to the state after initialisation, which is as good as another one and costs far less. */
  #mend(instance: PluginInstance): undefined | Promise<void> {
    const isCheaper = this.#options.policy.fresh !== 'instantiate';
    if (!isCheaper || this.#isTooLarge(instance) || instance.restore() !== true) {
      return this.#replace(instance, 'poisoned');
    }
    this.#options.onReplaced('poisoned');
    this.#begin(instance);
    return undefined;
  }

  #isTooLarge({ guestPages }: PluginInstance): boolean {
    const { maxGuestPages } = this.#options.policy;
    return maxGuestPages > 0 && guestPages >= maxGuestPages;
  }

  #restore(instance: PluginInstance): undefined | Promise<void> {
    const restored = instance.restore();
    if (restored === true) return undefined;
    if (restored === false) return this.#replace(instance, 'grown');
    return restored.then((isRestored) => {
      if (!isRestored) return this.#replace(instance, 'grown');
      return undefined;
    });
  }

  async #replace(used: PluginInstance, reason: ReplaceReason | null): Promise<void> {
    this.#state = reason === 'poisoned' ? 'poisoned' : 'starting';
    this.#instance = null;
    if (reason !== null) this.#options.onReplaced(reason);
    await used.close().catch(() => {});
    // A failure shows in the next call, which tries again.
    await this.#fill().catch(() => {});
  }

  async #fill(): Promise<PluginInstance> {
    this.#state = 'starting';
    const instance = await this.#options.compiled.instantiate();
    this.#begin(instance);
    return instance;
  }

  #begin(instance: PluginInstance): void {
    this.#instance = instance;
    this.#calls = 0;
    this.#hasRunCommand = false;
    this.#state = 'ready';
  }
}

/** It could be made when the server started: no mistake of the operator's then, and none that callers know. */
function unfilled(thrown: unknown): unknown {
  if (!(thrown instanceof ServerError && thrown.isOperatorMistake)) return thrown;
  return new ServerError('INTERNAL', thrown.message, { cause: thrown });
}
