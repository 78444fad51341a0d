/**
 * Test helper: modules that are kept because each is a case of its own: written by hand (.wat), made
 * by the generators (.wasm), or what a campaign once failed at.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { assemble } from './assemble.ts';

const FOLDER = path.join(import.meta.dirname, 'corpus');

export interface CorpusModule {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export function readCorpus(): readonly CorpusModule[] {
  return readdirSync(FOLDER)
    .sort()
    .map((file) => ({ name: file, bytes: readModule(path.join(FOLDER, file)) }));
}

function readModule(file: string): Uint8Array {
  return file.endsWith('.wat') ? assemble(readFileSync(file, 'utf8')) : readFileSync(file);
}
