/**
 * Test helper: the built example plugins, and the modules in the folder that the environment
 * variable PLUGIND_TEST_MODULES names, for runs over more than the project holds.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface RealModule {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export function realModules(): RealModule[] {
  const folders = [path.join(import.meta.dirname, '../../../examples')];
  if (process.env.PLUGIND_TEST_MODULES) folders.push(process.env.PLUGIND_TEST_MODULES);
  return folders.filter(existsSync).flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.wasm'))
      .sort()
      .map((file) => ({
        name: file,
        bytes: Uint8Array.from(readFileSync(path.join(folder, file))),
      })),
  );
}
