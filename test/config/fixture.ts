/** What the tests of config/ share: a temporary directory with a file in it, and loading from there. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BundledPlugin, loadConfig } from '../../src/config/load-config.ts';
import type { Environment } from '../../src/config/read-environment.ts';
import type { Overrides } from '../../src/config/settings.ts';
import type { PluginHostConfig } from '../../src/config/types.ts';
import { ServerError } from '../../src/errors.ts';

export const BUNDLED: BundledPlugin = {
  wasm: path.resolve('/package/hello.wasm'),
  function: 'hello',
  contentType: 'application/json',
};

/** A file with nothing but what it must have; `changes` are laid over its top level. */
export function minimalFile(changes: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    plugins: { echo: { wasm: 'echo.wasm' } },
    routes: [{ path: '/echo', plugin: 'echo', function: 'echo' }],
    ...changes,
  };
}

export interface Directory {
  readonly path: string;
  /** Writes a file, as JSON unless it is a text. Returns its path. */
  write(name: string, content: unknown): string;
  remove(): void;
}

export function createDirectory(): Directory {
  const directory = mkdtempSync(path.join(tmpdir(), 'plugind-config-'));
  return {
    path: directory,
    write(name, content) {
      const file = path.join(directory, name);
      mkdirSync(path.dirname(file), { recursive: true });
      const isRaw = typeof content === 'string' || content instanceof Uint8Array;
      writeFileSync(file, isRaw ? content : JSON.stringify(content));
      return file;
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export interface LoadOptions {
  readonly args?: Overrides;
  readonly env?: Environment;
  readonly cwd: string;
}

export function load({ args = {}, env = {}, cwd }: LoadOptions): PluginHostConfig {
  return loadConfig({ args, env, cwd, bundled: BUNDLED, autoWorkers: () => 3 });
}

/** Loads `file` as ./plugind.json of a directory of its own. */
export function loadFile(file: unknown, options: Omit<LoadOptions, 'cwd'> = {}): PluginHostConfig {
  const directory = createDirectory();
  try {
    directory.write('plugind.json', file);
    return load({ ...options, cwd: directory.path });
  } finally {
    directory.remove();
  }
}

/** The lines of the CONFIG_INVALID that `run` throws. */
export function problemsOf(run: () => unknown): readonly string[] {
  const error = errorOf(run);
  if (error.code !== 'CONFIG_INVALID') throw error;
  return error.message.split('\n');
}

/** The ServerError that `run` throws. */
export function errorOf(run: () => unknown): ServerError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof ServerError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

/** The paths that the problems of a file name, sorted, without the file's name. */
export function pathsOf(file: unknown, options: Omit<LoadOptions, 'cwd'> = {}): readonly string[] {
  return problemsOf(() => loadFile(file, options))
    .map((line) => /^plugind\.json: (.+?): /.exec(line)?.[1] ?? line)
    .toSorted();
}
