/**
 * A plugin as a worker serves it: the compiled code, its instances, and the lock before them.
 */
import type { PluginConfig } from '../config/types.ts';
import { ServerError } from '../errors.ts';
import { Lock, type Ticket } from '../lock/lock.ts';
import { CallJob, type CallListener } from './call-job.ts';
import { chooseFreshWay } from './choose-fresh-way.ts';
import { compilePlugin, requireFunction } from './compile-plugin.ts';
import type { CompiledPlugin, PluginInstance } from './compiled-plugin.ts';
import type { EngineEnvironment } from './engine-environment.ts';
import { InstanceSlot, type SlotPolicy } from './instance-slot.ts';
import type { HostFunctions } from './kernel/bind-host-functions.ts';
import type { DefinitionRow } from './manifest/describe-definition.ts';
import type { InstanceState, PluginDescription, PluginGauges, PluginObserver } from './observer.ts';

export interface ServedPluginOptions {
  readonly plugin: PluginConfig;
  /** Functions that routes call; each must be exported. */
  readonly functions: readonly string[];
  readonly environment: EngineEnvironment;
  /** Given by a program that embeds the engine, beside or instead of the plugin's `hostFunctions` file. */
  readonly hostFunctions?: HostFunctions;
}

/**
 * How long one turn of the event loop may call plugins before I/O is looked at again. Short against
 * the latency of a loaded server, long against a turn's own cost (about 20 us).
 */
const DRAIN_BUDGET_MS = 2;
const SILENT: PluginObserver = {
  acquired() {},
  released() {},
  refused() {},
  called() {},
  limited() {},
  replaced() {},
};

/**
 * Compiles a plugin, instantiates it as often as its isolation asks for, and runs its probe.
 * @throws ServerError of the kinds `configuration` and `plugin`; nothing is left behind.
 */
export async function createServedPlugin(options: ServedPluginOptions): Promise<ServedPlugin> {
  const { plugin, environment } = options;
  const compiled = await compilePlugin(plugin, environment, options.hostFunctions ?? {});
  const called = [...options.functions, ...(plugin.probe === null ? [] : [plugin.probe.function])];
  for (const name of called) requireFunction(plugin.name, compiled, name);
  const count = plugin.isolation === 'pool' ? plugin.poolSize : 1;
  const instances: PluginInstance[] = [];
  try {
    while (instances.length < count) instances.push(await compiled.instantiate());
    const first = instances[0] as PluginInstance;
    const policy = await choosePolicy(plugin, compiled, first, environment);
    const served = new ServedPlugin(options, compiled, instances, policy);
    await served.probe();
    return served;
  } catch (error) {
    await Promise.allSettled(instances.map((instance) => instance.close()));
    await compiled.close();
    throw error;
  }
}

async function choosePolicy(
  plugin: PluginConfig,
  compiled: CompiledPlugin,
  instance: PluginInstance,
  { clock }: EngineEnvironment,
): Promise<SlotPolicy> {
  return {
    fresh: plugin.isolation === 'fresh' ? await chooseFreshWay(compiled, instance, clock) : null,
    maxCalls: plugin.recycle.calls,
    maxGuestPages: plugin.recycle.pages,
  };
}

export class ServedPlugin implements PluginGauges {
  readonly description: PluginDescription;
  /** Every function that can be called, whether or not a route does. */
  readonly exportedFunctions: readonly string[];
  /** For `plugind check`: each field of its definition, and who enforces it. */
  readonly fields: readonly DefinitionRow[];
  /** Who chose its execution, for people. */
  readonly executionReason: string;
  readonly #plugin: PluginConfig;
  readonly #compiled: CompiledPlugin;
  readonly #slots: readonly InstanceSlot[];
  readonly #lock: Lock<InstanceSlot>;
  #observer: PluginObserver = SILENT;

  constructor(
    { plugin, functions, environment }: ServedPluginOptions,
    compiled: CompiledPlugin,
    instances: readonly PluginInstance[],
    policy: SlotPolicy,
  ) {
    const { marker } = environment;
    this.#plugin = plugin;
    this.exportedFunctions = compiled.functions;
    this.fields = compiled.fields;
    this.executionReason = compiled.executionReason;
    this.#compiled = compiled;
    const onReplaced: PluginObserver['replaced'] = (reason) => this.#observer.replaced(reason);
    this.#slots = instances.map(
      (instance) =>
        new InstanceSlot({ plugin: plugin.name, compiled, policy, marker, onReplaced }, instance),
    );
    this.description = {
      name: plugin.name,
      hash: compiled.hash,
      version: compiled.version,
      functions,
      isolation: plugin.isolation,
      freshWay: policy.fresh,
      execution: compiled.execution,
      timeoutMs: compiled.timeoutMs,
      maxPages: compiled.maxPages,
      maxWaiters: plugin.queue.max,
      waitMs: plugin.queue.waitMs,
      instances: instances.length,
    };
    this.#lock = new Lock({
      permits: this.#slots,
      maxWaiters: plugin.queue.max,
      waitMs: plugin.queue.waitMs,
      drainBudgetMs: DRAIN_BUDGET_MS,
      clock: environment.clock,
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
  call(
    functionName: string,
    input: Uint8Array,
    listener: CallListener,
    hostContext?: unknown,
  ): Ticket {
    return this.#lock.submit(
      new CallJob({ functionName, input, hostContext }, listener, this.#observer),
    );
  }

  /** The configured probe, if there is one. @throws ServerError when it fails or answers wrong. */
  async probe(): Promise<void> {
    const { name, probe } = this.#plugin;
    if (probe === null) return;
    const output = await new Promise<Uint8Array>((resolve, reject) => {
      this.call(probe.function, Buffer.from(probe.input), { succeeded: resolve, failed: reject });
    });
    const text = Buffer.from(output).toString('utf8');
    if (probe.output === undefined || text === probe.output) return;
    throw new ServerError(
      'PLUGIN_BAD_OUTPUT',
      `plugins.${name}.probe: got ${JSON.stringify(text.slice(0, 200))}, wanted ${JSON.stringify(probe.output)}`,
    );
  }

  waiters(): number {
    return this.#lock.waiting;
  }

  busySeconds(): number {
    return this.#lock.busySeconds;
  }

  memoryBytes(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.memoryBytes, 0);
  }

  instances(): Record<InstanceState, number> {
    const count = { starting: 0, ready: 0, poisoned: 0 };
    for (const { state } of this.#slots) count[state]++;
    return count;
  }

  /** Refuses who waits, lets the running calls end, closes the instances. Idempotent. */
  async close(): Promise<void> {
    this.#lock.close();
    await this.#lock.idle();
    await Promise.all(this.#slots.map((slot) => slot.close()));
    await this.#compiled.close();
  }
}
