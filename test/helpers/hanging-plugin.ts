/** A configuration with a plugin whose call never comes back, so that its worker hangs. */
import { exampleWasm } from './paths.ts';
import { writeConfig } from './write-config.ts';

/** The plugin's name and its function. */
export const HANGING = { plugin: 'loop', function: 'loop' } as const;

/** Path of a file with the routes `/` (hello) and `/hang`. */
export function writeHangingConfig(watchdogMs: number): string {
  return writeConfig({
    watchdogMs,
    plugins: {
      hello: { wasm: exampleWasm('hello') },
      [HANGING.plugin]: { wasm: exampleWasm('loop') },
    },
    routes: [
      { path: '/', plugin: 'hello', function: 'hello' },
      { path: '/hang', plugin: HANGING.plugin, function: HANGING.function },
    ],
  });
}
