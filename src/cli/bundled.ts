/** The plugin that comes with the package, served when nothing else is named. */
import { fileURLToPath } from 'node:url';
import type { BundledPlugin } from '../config/load-config.ts';

export const BUNDLED_PLUGIN: BundledPlugin = {
  // `src/cli` and `dist/cli` both lie two folders below the package.
  wasm: fileURLToPath(new URL('../../examples/hello/hello.wasm', import.meta.url)),
  function: 'hello',
  contentType: 'application/json',
};
