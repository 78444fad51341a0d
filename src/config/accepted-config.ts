/**
 * The configuration last accepted, as the primary hands it to its workers: a file in the run
 * directory, so that a worker that is restarted comes back on what was serving and not on a
 * half-edited file.
 */
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deepFreeze } from './deep-freeze.ts';
import type { PluginHostConfig } from './types.ts';

/** Names the file of the accepted configuration for a worker of our own primary. */
export const ACCEPTED_VARIABLE = 'PLUGIND_ACCEPTED_CONFIG';

/** Writes it whole or not at all. Returns the path, which contains the content's hash. */
export function writeAcceptedConfig(runDir: string, config: PluginHostConfig): string {
  const text = JSON.stringify(config);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const file = path.join(runDir, `config-${hash}.json`);
  writeFileSync(`${file}.tmp`, text, { mode: 0o600 });
  renameSync(`${file}.tmp`, file);
  return file;
}

/** Reads what {@link writeAcceptedConfig} wrote; it was checked before it was written. */
export function readAcceptedConfig(file: string): PluginHostConfig {
  return deepFreeze(JSON.parse(readFileSync(file, 'utf8')) as PluginHostConfig);
}
