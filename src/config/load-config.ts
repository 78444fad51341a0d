/**
 * Loads the configuration: flag > environment > file > default. Everything wrong with it is in one
 * error, a line each. Whether wasm files and functions exist is found out by plugin/ later.
 * The only place of config/ that reads the process's environment and current directory.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { completeConfig } from './complete-config.ts';
import type { ConfigFile, PluginEntry, RouteEntry } from './config-file.ts';
import { deepFreeze } from './deep-freeze.ts';
import { formatProblem, type Problem, problemsError, withoutOverlap } from './problem.ts';
import { readConfigFile } from './read-config-file.ts';
import { type Environment, readEnvironment } from './read-environment.ts';
import { repairFile } from './repair-file.ts';
import { brokenRules } from './rules.ts';
import type { Overrides } from './settings.ts';
import type { PluginHostConfig } from './types.ts';
import { validateFile } from './validate-file.ts';
import { workerCount } from './worker-count.ts';

/** What is served when nothing is named. */
export interface BundledPlugin {
  /** Absolute. */
  readonly wasm: string;
  readonly function: string;
  readonly contentType: string;
}

export interface LoadConfigOptions {
  /** What the command line says. */
  readonly args: Overrides;
  readonly bundled: BundledPlugin;
  /** Default `process.env`. */
  readonly env?: Environment;
  /** Default the current directory. */
  readonly cwd?: string;
  /** What `workers: "auto"` is. Default: by CPUs and control group. */
  readonly autoWorkers?: () => number;
}

/** The file that is read when it is there and nothing else is named. */
const DEFAULT_FILE = 'plugind.json';

/** What is served: the parsed file, or what stands for one. */
interface Source {
  readonly origin: string;
  readonly baseDir: string;
  /** Goes before each message about it; empty where there is no file. */
  readonly prefix: string;
  readonly file: unknown;
}

/**
 * The configuration, filled, with absolute paths, frozen.
 * @throws ServerError `CONFIG_NOT_FOUND` or `CONFIG_INVALID`; its `details.problems` are the lines.
 */
export function loadConfig(options: LoadConfigOptions): PluginHostConfig {
  const { args, bundled, env = process.env, cwd = process.cwd() } = options;
  const environment = readEnvironment(env, args);
  const lines = environment.problems.map(formatProblem);
  if (!environment.isSourceClear) throw problemsError(lines);

  const overrides = { ...environment.overrides, ...args };
  const source = chooseSource(overrides, args.wasm === undefined ? 'environment' : 'arguments', {
    cwd,
    bundled,
  });
  const { config, problems } = checkSource(source, overrides, options.autoWorkers ?? workerCount);
  lines.push(...problems.map((problem) => source.prefix + formatProblem(problem)));
  if (lines.length > 0) throw problemsError(lines);
  return deepFreeze(config);
}

function checkSource(
  { file, origin, baseDir }: Source,
  overrides: Overrides,
  autoWorkers: () => number,
): { readonly config: PluginHostConfig; readonly problems: readonly Problem[] } {
  const wrong = validateFile(file);
  const valid = wrong.length === 0 ? (file as ConfigFile) : repairFile(file, wrong);
  const config = completeConfig(valid, { origin, baseDir, overrides, autoWorkers });
  const further = brokenRules(config, valid, baseDir);
  return { config, problems: [...wrong, ...withoutOverlap(further, wrong)] };
}

function chooseSource(
  overrides: Overrides,
  wasmOrigin: string,
  { cwd, bundled }: { readonly cwd: string; readonly bundled: BundledPlugin },
): Source {
  const { wasm, function: functionName, config } = overrides;
  if (wasm !== undefined && functionName !== undefined) {
    // What WASI gives without directories is a clock and randomness; Go plugins do not start without.
    const plugin = { wasm, wasi: true };
    return onePlugin(wasmOrigin, cwd, pluginName(wasm), plugin, { function: functionName });
  }
  if (config !== undefined) return fromFile(path.resolve(cwd, config), cwd);
  const defaultFile = path.join(cwd, DEFAULT_FILE);
  if (existsSync(defaultFile)) return fromFile(defaultFile, cwd);
  return onePlugin(
    'bundled',
    cwd,
    'hello',
    { wasm: bundled.wasm },
    {
      function: bundled.function,
      contentType: bundled.contentType,
    },
  );
}

function fromFile(file: string, cwd: string): Source {
  const relative = path.relative(cwd, file);
  const shownAs = relative.startsWith('..') || path.isAbsolute(relative) ? file : relative;
  return {
    origin: file,
    baseDir: path.dirname(file),
    prefix: `${shownAs}: `,
    file: readConfigFile(file, shownAs),
  };
}

function onePlugin(
  origin: string,
  baseDir: string,
  name: string,
  plugin: PluginEntry,
  route: Pick<RouteEntry, 'function' | 'contentType'>,
): Source {
  const file: ConfigFile = {
    plugins: { [name]: plugin },
    routes: [{ ...route, path: '/', plugin: name }],
  };
  return { origin, baseDir, prefix: '', file };
}

/** The file's name without its ending, with nothing in it that a metrics label would escape. */
function pluginName(wasm: string): string {
  const name = path.basename(wasm, '.wasm').replace(/[^A-Za-z0-9_.-]+/g, '-');
  return name.slice(0, 64) || 'plugin';
}
