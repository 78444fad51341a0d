/** The plugin that comes with the package, served when nothing else is named. */
import path from 'node:path';
import type { BundledPlugin } from '../config/load-config.ts';

/** `src/cli` and `dist/cli` both lie two folders below the package. */
const PACKAGE_DIR = path.dirname(path.dirname(import.meta.dirname));

export const BUNDLED_PLUGIN: BundledPlugin = {
  wasm: path.join(PACKAGE_DIR, 'examples/hello/hello.wasm'),
  function: 'hello',
  contentType: 'application/json',
};
