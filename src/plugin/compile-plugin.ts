/**
 * Reads a plugin's files, guards and compiles them, and plans how they are linked. This happens once
 * in a process; instances share the compiled modules.
 */
import type { Execution, PluginConfig } from '../config/types.ts';
import { ERRORS, ServerError } from '../errors.ts';
import { chooseExecution } from './choose-execution.ts';
import type { CompiledPlugin } from './compiled-plugin.ts';
import { describeGuard } from './describe-guard.ts';
import type { EngineEnvironment } from './engine-environment.ts';
import { guardFiles, snapshotUse } from './guard-files.ts';
import type { GuestHttpLimits } from './guest-http/guest-http-requester.ts';
import { createInlineFactory } from './inline-factory.ts';
import type { FactoryOptions, InstanceFactory } from './instance-factory.ts';
import type { HostFunctions } from './kernel/bind-host-functions.ts';
import { KERNEL_ITEM } from './kernel/kernel.ts';
import { type GuardedFile, planLinks } from './link-plan.ts';
import { describeDefinition } from './manifest/describe-definition.ts';
import type { PluginDefinition } from './manifest/plugin-definition.ts';
import { readPlugin } from './manifest/read-plugin.ts';
import type { ThreadPlugin } from './thread/thread-setup.ts';

/** A plugin writes its own version, which metrics and status show: longer text than this is cut. */
const MAX_VERSION_LENGTH = 128;
/** Initialisation gets as long as a call, and at least this. */
const MIN_LOAD_TIMEOUT_MS = 1000;

/**
 * @throws ServerError `PLUGIN_NOT_FOUND`, `PLUGIN_COMPILE_FAILED` or `CONFIG_INVALID`.
 */
export async function compilePlugin(
  plugin: PluginConfig,
  environment: EngineEnvironment,
  hostFunctions: HostFunctions = {},
): Promise<CompiledPlugin> {
  const definition = await readPlugin(plugin);
  const { files, reservedPages } = guardFiles(plugin, definition);
  const main = files.find(({ name }) => name === 'main') as GuardedFile;
  const common = { ...commonOptions(plugin, definition, files), reservedPages };
  if (common.plan.usesWasi && !plugin.wasi) {
    throw new ServerError(
      'PLUGIN_COMPILE_FAILED',
      `plugins.${plugin.name}: the plugin imports WASI; set "wasi": true to allow that`,
    );
  }
  const http = httpLimits(definition, files);
  const { execution, executionReason } = chooseExecution(plugin, http !== null);
  const parts: FactoryOptions = { plugin, common, files, http, environment, hostFunctions };
  const factory = await createFactory(execution, parts);
  return {
    hash: definition.hash,
    version: readVersion(main.guarded.module),
    functions: [...common.plan.calls.keys()],
    fields: [...describeDefinition(definition), ...describeGuard(files)],
    execution,
    executionReason,
    timeoutMs: definition.timeoutMs,
    maxPages: definition.memory.maxPages,
    instantiate: () =>
      factory.instantiate().catch((thrown) => {
        throw initialisationError(plugin.name, thrown);
      }),
    close: factory.close,
  };
}

/** What few plugins need is loaded for them alone, here and below: workers start the sooner. */
async function createFactory(
  execution: Execution,
  parts: FactoryOptions,
): Promise<InstanceFactory> {
  if (execution === 'inline') return createInlineFactory(parts);
  const { createThreadFactory } = await import('./thread/thread-factory.ts');
  return createThreadFactory(parts);
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

/** Limits stay what they are; whatever else a plugin does instead of starting, the operator has to mend. */
function initialisationError(plugin: string, thrown: unknown): unknown {
  if (!(thrown instanceof ServerError)) return thrown;
  const { code, message, details } = thrown;
  const { kind } = ERRORS[code];
  if (kind === 'configuration' || kind === 'capacity') return thrown;
  const isLimit = code === 'CALL_DEADLINE' || code === 'PLUGIN_LIMIT';
  return new ServerError(
    isLimit ? code : 'PLUGIN_COMPILE_FAILED',
    `plugins.${plugin}: initialisation failed: ${message}`,
    { cause: thrown, details },
  );
}

/** What instances are bounded by wherever they run. */
function commonOptions(
  plugin: PluginConfig,
  definition: PluginDefinition,
  files: readonly GuardedFile[],
): Omit<ThreadPlugin, 'hostFunctions' | 'reservedPages'> {
  return {
    plugin: plugin.name,
    plan: planLinks(plugin.name, files),
    config: definition.config,
    memory: definition.memory,
    mounts: definition.allowedPaths,
    timeoutMs: definition.timeoutMs,
    loadTimeoutMs: Math.max(definition.timeoutMs, MIN_LOAD_TIMEOUT_MS),
    snapshot: files.every(({ guarded }) => guarded.snapshot.restorable)
      ? snapshotUse(plugin, definition)
      : null,
  };
}

/** null where the plugin does not fetch, or may not. */
function httpLimits(
  { allowedHosts, memory }: PluginDefinition,
  files: readonly GuardedFile[],
): GuestHttpLimits | null {
  const fetches = files.some(({ guarded }) =>
    guarded.imports.some(({ module, name }) => module === KERNEL_ITEM && name === 'http_request'),
  );
  if (!fetches || allowedHosts.length === 0) return null;
  return { allowedHosts, maxHttpResponseBytes: memory.maxHttpResponseBytes };
}

function readVersion(module: WebAssembly.Module): string {
  const [section] = WebAssembly.Module.customSections(module, 'version');
  if (section === undefined) return '';
  return Buffer.from(section).toString('utf8').slice(0, MAX_VERSION_LENGTH);
}
