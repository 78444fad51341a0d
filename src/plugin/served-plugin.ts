/**
 * A plugin as a worker serves it: the compiled code, its instances, and the lock before them.
 * An instance that a call left in an unknown state is replaced while its permit is still held, so
 * that the next caller never meets it.
 */
import type { PluginConfig } from '../config/types.ts';
import { ServerError } from '../errors.ts';
import { type Clock, type Job, Lock, type Ticket } from '../lock/lock.ts';
import { type CallMarker, UNMARKED } from './call-marker.ts';
import { compilePlugin, requireFunction } from './compile-plugin.ts';
import type { CompiledPlugin, PluginInstance } from './compiled-plugin.ts';
import type { InstanceState, PluginDescription, PluginGauges, PluginObserver } from './observer.ts';

export interface ServedPluginOptions {
  readonly plugin: PluginConfig;
  /** Functions that routes call; each must be exported. */
  readonly functions: readonly string[];
  readonly clock: Clock;
  /** Told of every call. Default nobody. */
  readonly marker?: CallMarker;
}

/** Takes the end of one request; exactly one of the two is called, once. */
export interface CallListener {
  succeeded(output: Uint8Array): void;
  failed(error: ServerError): void;
}

/**
 * How long one turn of the event loop may call plugins before I/O is looked at again. Short against
 * the latency of a loaded server, long against a turn's own cost (about 20 us).
 */
const DRAIN_BUDGET_MS = 2;

/** The place of one instance; the lock's permit. */
class InstanceSlot {
  instance: PluginInstance | null;
  state: InstanceState = 'ready';

  constructor(instance: PluginInstance) {
    this.instance = instance;
  }
}

/**
 * Compiles and instantiates a plugin and runs its probe.
 * @throws ServerError of the kinds `configuration` and `plugin`; nothing is left behind.
 */
export async function createServedPlugin(options: ServedPluginOptions): Promise<ServedPlugin> {
  const { plugin, marker = UNMARKED } = options;
  const compiled = await compilePlugin(plugin);
  for (const name of options.functions) requireFunction(plugin.name, compiled, name);
  const instance = await compiled.instantiate();
  try {
    marker.begin(plugin.name, plugin.probe?.function ?? '');
    await runProbe(plugin, compiled, instance);
  } catch (error) {
    await instance.close();
    throw error;
  } finally {
    marker.end();
  }
  return new ServedPlugin(options, compiled, instance);
}

export class ServedPlugin implements PluginGauges {
  readonly description: PluginDescription;
  readonly #compiled: CompiledPlugin;
  readonly #slot: InstanceSlot;
  readonly #lock: Lock<InstanceSlot>;
  readonly #marker: CallMarker;
  #observer: PluginObserver = SILENT;

  constructor(options: ServedPluginOptions, compiled: CompiledPlugin, instance: PluginInstance) {
    const { plugin, functions, clock, marker = UNMARKED } = options;
    this.#marker = marker;
    this.#compiled = compiled;
    this.#slot = new InstanceSlot(instance);
    this.description = {
      name: plugin.name,
      hash: compiled.hash,
      version: compiled.version,
      functions,
      isolation: plugin.isolation,
      execution: plugin.execution,
      timeoutMs: plugin.timeoutMs,
    };
    this.#lock = new Lock({
      permits: [this.#slot],
      maxWaiters: plugin.queue.max,
      waitMs: plugin.queue.waitMs,
      drainBudgetMs: DRAIN_BUDGET_MS,
      clock,
      observer: {
        acquired: (waitSeconds) => this.#observer.acquired(waitSeconds),
        released: (holdSeconds) => this.#observer.released(holdSeconds),
        refused: (code) => this.#observer.refused(code),
      },
    });
  }

  /** Joins the observer; before this nothing is told to anyone. */
  observe(observer: PluginObserver): void {
    this.#observer = observer;
  }

  /** Queues one call. The listener hears of its end; the ticket takes it out of the queue. */
  call(functionName: string, input: Uint8Array, listener: CallListener): Ticket {
    const job: Job<InstanceSlot> = {
      run: (slot) => this.#run(slot, functionName, input, listener),
      refuse: (code) => {
        this.#observer.called(functionName, code);
        listener.failed(new ServerError(code, `plugin "${this.description.name}": ${code}`));
      },
    };
    return this.#lock.submit(job);
  }

  waiters(): number {
    return this.#lock.waiting;
  }

  busySeconds(): number {
    return this.#lock.busySeconds;
  }

  memoryBytes(): number {
    return this.#slot.instance?.memoryBytes ?? 0;
  }

  instances(): Record<InstanceState, number> {
    const count = { starting: 0, ready: 0, poisoned: 0 };
    count[this.#slot.state]++;
    return count;
  }

  /** Resolves when nobody waits for this plugin and no call runs. */
  idle(): Promise<void> {
    return this.#lock.idle();
  }

  /** Refuses who waits, lets the running call end, closes the instance. Idempotent. */
  async close(): Promise<void> {
    this.#lock.close();
    await this.#lock.idle();
    await this.#slot.instance?.close();
    this.#slot.instance = null;
  }

  async #run(
    slot: InstanceSlot,
    functionName: string,
    input: Uint8Array,
    listener: CallListener,
  ): Promise<void> {
    let instance: PluginInstance;
    let output: Uint8Array;
    try {
      // Absent only after a replacement failed; this call is the next attempt.
      instance = slot.instance ?? (await this.#fill(slot));
    } catch (error) {
      this.#fail(functionName, error, listener);
      return;
    }
    this.#marker.begin(this.description.name, functionName);
    try {
      output = await instance.call(functionName, input);
    } catch (error) {
      this.#marker.end();
      this.#fail(functionName, error, listener);
      if (instance.isPoisoned) await this.#replace(slot, instance);
      return;
    }
    this.#marker.end();
    this.#observer.called(functionName, 'ok');
    listener.succeeded(output);
  }

  #fail(functionName: string, thrown: unknown, listener: CallListener): void {
    const error = ServerError.from(thrown);
    this.#observer.called(functionName, error.code);
    listener.failed(error);
  }

  async #fill(slot: InstanceSlot): Promise<PluginInstance> {
    slot.state = 'starting';
    slot.instance = await this.#compiled.instantiate();
    slot.state = 'ready';
    return slot.instance;
  }

  async #replace(slot: InstanceSlot, poisoned: PluginInstance): Promise<void> {
    slot.state = 'poisoned';
    slot.instance = null;
    await poisoned.close().catch(() => {});
    await this.#fill(slot).catch(() => {});
  }
}

const SILENT: PluginObserver = { acquired() {}, released() {}, refused() {}, called() {} };

async function runProbe(
  plugin: PluginConfig,
  compiled: CompiledPlugin,
  instance: PluginInstance,
): Promise<void> {
  const { probe } = plugin;
  if (probe === null) return;
  requireFunction(plugin.name, compiled, probe.function);
  const output = Buffer.from(await instance.call(probe.function, Buffer.from(probe.input)));
  if (probe.output === undefined || output.equals(Buffer.from(probe.output))) return;
  throw new ServerError(
    'PLUGIN_BAD_OUTPUT',
    `plugins.${plugin.name}.probe: got ${JSON.stringify(output.toString('utf8').slice(0, 200))}, wanted ${JSON.stringify(probe.output)}`,
  );
}
