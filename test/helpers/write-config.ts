/** A configuration file of a test's own, in a folder that is removed when the test's process ends. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export function writeConfig(config: unknown): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'plugind-config-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  const file = path.join(dir, 'plugind.json');
  writeFileSync(file, JSON.stringify(config));
  return file;
}
