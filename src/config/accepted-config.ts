/**
 * The configuration last accepted, as the primary hands it to its workers: a file in the run
 * directory beside the plugins' own files, each named by its hash. A worker that is restarted comes
 * back on what was serving, not on what lies on disk or on a server by then. Modules of host functions
 * are the exception: each worker imports them from where they lie. Used by the primary (accept,
 * remove) and by its workers (read).
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { ServerError } from '../errors.ts';
import { deepFreeze } from './deep-freeze.ts';
import { type FetchItems, storeFile, storePlugin } from './store-plugin.ts';
import type { PluginHostConfig } from './types.ts';

/** Names the file of the accepted configuration for a worker of our own primary. */
export const ACCEPTED_VARIABLE = 'PLUGIND_ACCEPTED_CONFIG';

/** One configuration with everything that its workers run on. */
export interface Accepted {
  /** Of the configuration, every plugin file and every module of host functions. */
  readonly hash: string;
  /** Plugin files are those in the run directory. */
  readonly config: PluginHostConfig;
  /** The file that workers read it from. */
  readonly file: string;
  /** Names in the run directory, the configuration's own included. */
  readonly files: readonly string[];
  /** What was read to make it: the configuration file, plugin files, manifests, host functions. */
  readonly sources: readonly string[];
}

const STORED_NAME = /^(config|wasm)-[0-9a-f]{64}\.(json|wasm)$/;

/**
 * Reads every plugin file once, stores its bytes, and stores a configuration that names these.
 * @throws ServerError `PLUGIN_NOT_FOUND`, `PLUGIN_COMPILE_FAILED`, `CONFIG_INVALID` or
 * `CONFIG_NOT_FOUND` for what cannot be read, `INTERNAL` when the run directory cannot be written.
 */
export async function acceptConfig(
  runDir: string,
  config: PluginHostConfig,
  fetchItems: FetchItems,
): Promise<Accepted> {
  const files: string[] = [];
  const sources: string[] = path.isAbsolute(config.origin) ? [config.origin] : [];
  const plugins = [];
  const hostFunctionsHashes: (string | null)[] = [];
  for (const plugin of config.plugins) {
    const stored = await storePlugin(runDir, plugin, fetchItems);
    plugins.push(stored.plugin);
    files.push(...stored.files);
    sources.push(...stored.sources);
    hostFunctionsHashes.push(stored.hostFunctionsHash);
  }
  const accepted = deepFreeze({ ...config, plugins });
  const text = JSON.stringify(accepted);
  const hash = createHash('sha256')
    .update(JSON.stringify([text, hostFunctionsHashes]))
    .digest('hex');
  const name = `config-${hash}.json`;
  await storeFile(runDir, name, Buffer.from(text));
  return {
    hash,
    config: accepted,
    file: path.join(runDir, name),
    files: [...new Set([...files, name])],
    sources: [...new Set(sources)],
  };
}

/** Reads what {@link acceptConfig} stored; it was checked before it was accepted. */
export function readAcceptedConfig(file: string): PluginHostConfig {
  return deepFreeze(JSON.parse(readFileSync(file, 'utf8')) as PluginHostConfig);
}

/** Removes the stored files that nobody runs on any more. Whatever else lies there stays. */
export async function removeUnaccepted(
  runDir: string,
  inUse: readonly Pick<Accepted, 'files'>[],
): Promise<void> {
  const kept = new Set(inUse.flatMap(({ files }) => files));
  const names = await readdir(runDir);
  const unused = names.filter((name) => STORED_NAME.test(name) && !kept.has(name));
  await Promise.all(unused.map((name) => rm(path.join(runDir, name), { force: true })));
}

/**
 * What a roll cannot change, since the primary holds the listening sockets.
 * @throws ServerError `CONFIG_INVALID`, a line for each.
 */
export function assertSameAddresses(
  before: Pick<PluginHostConfig, 'listen' | 'admin'>,
  after: Pick<PluginHostConfig, 'listen' | 'admin'>,
): void {
  const lines = (['listen', 'admin'] as const).flatMap((key) => {
    const [old, wanted] = [before[key], after[key]];
    if (old.host === wanted.host && old.port === wanted.port) return [];
    return [
      `${key}: a reload cannot move it from ${old.host} port ${old.port} to ${wanted.host} port ${wanted.port}; restart the server`,
    ];
  });
  if (lines.length > 0) throw new ServerError('CONFIG_INVALID', lines.join('\n'));
}
