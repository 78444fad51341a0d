/**
 * Reads, checks and compiles a plugin. Compilation happens once in a process; instances share the
 * compiled modules.
 */
import type { PluginConfig } from '../config/types.ts';
import { ServerError } from '../errors.ts';
import type { CompiledPlugin } from './compiled-plugin.ts';
import { readPluginFiles } from './read-plugin-files.ts';
import { createSdkInstance, type SdkModule } from './sdk-instance.ts';

/** @throws ServerError `PLUGIN_NOT_FOUND`, `PLUGIN_COMPILE_FAILED` or `CONFIG_INVALID`. */
export async function compilePlugin(plugin: PluginConfig): Promise<CompiledPlugin> {
  const { files, hash, config } = readPluginFiles(plugin);
  const modules: SdkModule[] = [];
  for (const { name, bytes } of files) {
    modules.push({ name, module: await compile(plugin.name, name, bytes) });
  }
  const main = modules.find(({ name }) => name === 'main') as SdkModule;
  const usesWasi = modules.some(({ module }) =>
    WebAssembly.Module.imports(module).some((wanted) => wanted.module === 'wasi_snapshot_preview1'),
  );
  if (usesWasi && !plugin.wasi) {
    throw new ServerError(
      'PLUGIN_COMPILE_FAILED',
      `plugins.${plugin.name}: the plugin imports WASI; set "wasi": true to allow that`,
    );
  }
  return {
    hash,
    version: readVersion(main.module),
    functions: callableExports(main.module),
    instantiate: () =>
      createSdkInstance({
        plugin: plugin.name,
        modules,
        wasi: plugin.wasi,
        config: { ...config, ...plugin.config },
      }),
  };
}

/** @throws ServerError `FUNCTION_NOT_EXPORTED`, naming the functions there are. */
export function requireFunction(
  plugin: string,
  compiled: CompiledPlugin,
  functionName: string,
): void {
  if (compiled.functions.includes(functionName)) return;
  const known = compiled.functions.length === 0 ? 'none' : compiled.functions.join(', ');
  throw new ServerError(
    'FUNCTION_NOT_EXPORTED',
    `plugins.${plugin}: no function "${functionName}" is exported; there are: ${known}`,
    { details: { functions: compiled.functions } },
  );
}

async function compile(plugin: string, item: string, bytes: Buffer): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    throw new ServerError(
      'PLUGIN_COMPILE_FAILED',
      `plugins.${plugin}: module "${item}" is not valid: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** Runtime entry points that toolchains export; they are the host's to call, not a route's. */
const RUNTIME_EXPORTS =
  /^(_start|_initialize|__wasm_call_ctors|hs_init|hs_exit|malloc|free|calloc|realloc)$|^(asyncify_|__)/;

function callableExports(module: WebAssembly.Module): string[] {
  return WebAssembly.Module.exports(module)
    .filter(({ kind, name }) => kind === 'function' && !RUNTIME_EXPORTS.test(name))
    .map(({ name }) => name);
}

function readVersion(module: WebAssembly.Module): string {
  const [section] = WebAssembly.Module.customSections(module, 'version');
  return section === undefined ? '' : Buffer.from(section).toString('utf8').slice(0, 64);
}
