/** Plugins of a configuration as a worker makes them, without a server. */
import { PLUGIN_DEFAULTS } from '../../src/config/defaults.ts';
import type { PluginConfig, PluginSource } from '../../src/config/types.ts';
import type { ServerError } from '../../src/errors.ts';
import type { CallListener } from '../../src/plugin/call-job.ts';
import { compilePlugin } from '../../src/plugin/compile-plugin.ts';
import type { SlotPolicy } from '../../src/plugin/instance-slot.ts';
import type { Outcome, PluginObserver, ReplaceReason } from '../../src/plugin/observer.ts';
import { ServedPlugin } from '../../src/plugin/served-plugin.ts';
import { closePlugins, createPlugins, QUIET_ENVIRONMENT } from '../../src/worker/create-plugins.ts';
import { loadFile } from '../config/fixture.ts';

/** Serves one plugin under the name `p`; `functions` get a route each. */
export async function servePlugin(
  plugin: unknown,
  functions: readonly string[],
): Promise<ServedPlugin> {
  const config = loadFile({
    plugins: { p: plugin },
    routes: functions.map((name) => ({ path: `/${name}`, plugin: 'p', function: name })),
  });
  const plugins = await createPlugins(config, QUIET_ENVIRONMENT);
  return plugins.get('p') as ServedPlugin;
}

/** Serves one plugin while `use` runs. */
export async function withPlugin(
  plugin: unknown,
  functions: readonly string[],
  use: (served: ServedPlugin) => Promise<void>,
): Promise<void> {
  const served = await servePlugin(plugin, functions);
  try {
    await use(served);
  } finally {
    await closePlugins([served]);
  }
}

/** A manifest of these modules. */
export function itemsOf(all: Readonly<Record<string, Uint8Array>>): PluginSource {
  const wasm = Object.entries(all).map(([name, item]) => ({
    name,
    data: Buffer.from(item).toString('base64'),
  }));
  return { kind: 'manifest', manifest: { wasm }, baseDir: '/' };
}

/** A plugin with one instance, and what became of it. */
export interface Watched {
  readonly served: ServedPlugin;
  readonly replacements: readonly ReplaceReason[];
  /** Instances made since it is served. */
  instantiations(): number;
  call(name: string, input?: string): Promise<string>;
}

/** Serves one plugin by this policy, whatever a worker would choose, while `use` runs. */
export async function withWatched(
  plugin: Pick<PluginConfig, 'source'> & Partial<PluginConfig>,
  policy: Partial<SlotPolicy>,
  use: (watched: Watched) => Promise<void>,
): Promise<void> {
  const config: PluginConfig = { ...PLUGIN_DEFAULTS, name: 'p', ...plugin };
  const compiled = await compilePlugin(config, QUIET_ENVIRONMENT);
  const first = await compiled.instantiate();
  let instantiations = 0;
  const instantiate = (): ReturnType<typeof compiled.instantiate> => {
    instantiations++;
    return compiled.instantiate();
  };
  const served = new ServedPlugin(
    { plugin: config, functions: compiled.functions, environment: QUIET_ENVIRONMENT },
    { ...compiled, instantiate },
    [first],
    { fresh: null, maxCalls: 0, maxGuestPages: 0, ...policy },
  );
  const witness = new Witness();
  served.observe(witness);
  try {
    await use({
      served,
      replacements: witness.replacements,
      instantiations: () => instantiations,
      call: (name, input) => call(served, name, input),
    });
  } finally {
    await served.close();
  }
}

/** How one call ended: its output, or the error. */
export type Ending = { readonly output: string } | { readonly error: ServerError };

/** Takes the end of one call and fails the test's promise when it is told twice. */
export class Ear implements CallListener {
  readonly ended: Promise<Ending>;
  endings = 0;
  #settle: (ending: Ending) => void = () => {};

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  succeeded(output: Uint8Array): void {
    this.endings++;
    this.#settle({ output: Buffer.from(output).toString('utf8') });
  }

  failed(error: ServerError): void {
    this.endings++;
    this.#settle({ error });
  }
}

/** One call to its end: the output, or the error's code. */
export async function call(served: ServedPlugin, name: string, input = ''): Promise<string> {
  const ear = new Ear();
  served.call(name, Buffer.from(input), ear);
  const ending = await ear.ended;
  return 'output' in ending ? ending.output : ending.error.code;
}

/** Writes down what it is told. */
export class Witness implements PluginObserver {
  readonly outcomes: Outcome[] = [];
  readonly functions: string[] = [];
  readonly limits: string[] = [];
  waits = 0;
  holds = 0;
  refusals = 0;
  readonly replacements: ReplaceReason[] = [];
  onReleased: () => void = () => {};

  acquired(): void {
    this.waits++;
  }

  released(): void {
    this.holds++;
    this.onReleased();
  }

  refused(): void {
    this.refusals++;
  }

  replaced(reason: ReplaceReason): void {
    this.replacements.push(reason);
  }

  limited(limit: string): void {
    this.limits.push(limit);
  }

  called(functionName: string, outcome: Outcome): void {
    this.functions.push(functionName);
    this.outcomes.push(outcome);
  }
}
