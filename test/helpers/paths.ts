/** Where things lie, for every test. */
import path from 'node:path';

export const ROOT = path.dirname(path.dirname(import.meta.dirname));

/** The committed wasm of an example plugin. */
export function exampleWasm(name: string): string {
  return path.join(ROOT, 'examples', name, `${name}.wasm`);
}
