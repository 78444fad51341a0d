/**
 * An instance that runs on the Extism SDK alone: one foreground plugin, called by one caller at a
 * time (the lock's promise, since overlapping calls silently swap outputs).
 */
import createPlugin, { type Plugin } from '@extism/extism';
import { ServerError } from '../errors.ts';
import type { PluginInstance } from './compiled-plugin.ts';

export interface SdkModule {
  readonly name: string;
  readonly module: WebAssembly.Module;
}

export interface SdkInstanceOptions {
  readonly plugin: string;
  readonly modules: readonly SdkModule[];
  readonly wasi: boolean;
  readonly config: Readonly<Record<string, string>>;
}

const PLUGIN_ERROR_PREFIX = 'Plugin-originated error: ';
const EMPTY = new Uint8Array(0);

/** @throws ServerError `PLUGIN_COMPILE_FAILED`. */
export async function createSdkInstance(options: SdkInstanceOptions): Promise<PluginInstance> {
  try {
    // Every option is given: the SDK's defaults read the environment, and a shared `functions`
    // object would carry one plugin's rights into another.
    const plugin = await createPlugin(
      { wasm: options.modules.map(({ name, module }) => ({ name, module: module as never })) },
      {
        useWasi: options.wasi,
        enableWasiOutput: false,
        runInWorker: false,
        functions: {},
        allowedHosts: [],
        allowedPaths: {},
        config: { ...options.config },
        logLevel: 'silent',
      },
    );
    return new SdkInstance(plugin, await plugin.getInstance());
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ServerError(
      'PLUGIN_COMPILE_FAILED',
      `plugins.${options.plugin}: cannot be instantiated: ${reason}`,
      { cause },
    );
  }
}

class SdkInstance implements PluginInstance {
  readonly #plugin: Plugin;
  readonly #memory: WebAssembly.Memory | null;
  #isPoisoned = false;
  #isClosed = false;

  constructor(plugin: Plugin, instance: { exports: unknown }) {
    this.#plugin = plugin;
    const { memory } = instance.exports as { memory?: WebAssembly.Memory };
    this.#memory = memory ?? null;
  }

  get isPoisoned(): boolean {
    return this.#isPoisoned;
  }

  get memoryBytes(): number {
    return this.#memory?.buffer.byteLength ?? 0;
  }

  async call(functionName: string, input: Uint8Array): Promise<Uint8Array> {
    try {
      // A copy of the exact size: the SDK hands the guest the whole buffer behind a view.
      const output = await this.#plugin.call(functionName, new Uint8Array(input));
      return output === null ? EMPTY : new Uint8Array(output.bytes());
    } catch (thrown) {
      throw this.#classify(thrown);
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#plugin.close();
  }

  #classify(thrown: unknown): ServerError {
    if (thrown instanceof Error && thrown.message.startsWith(PLUGIN_ERROR_PREFIX)) {
      return new ServerError('PLUGIN_ERROR', thrown.message.slice(PLUGIN_ERROR_PREFIX.length));
    }
    this.#isPoisoned = true;
    // `proc_exit` of WASI is thrown as a symbol.
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    return new ServerError('PLUGIN_TRAPPED', reason, { cause: thrown });
  }
}
