/** A configuration with a plugin that hangs its worker: its host function waits for ever, which no guard can end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { exampleWasm } from './paths.ts';
import { assemble } from './wat.ts';
import { writeConfig } from './write-config.ts';

/** The plugin's name and its function. */
export const HANGING = { plugin: 'hanging', function: 'hang' } as const;

const GUEST = `(module
  (import "host" "wait" (func $wait))
  (func (export "hang") (result i32) (call $wait) (i32.const 0)))`;
const HOST = `export const host = {
  wait() { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); },
};`;

/**
 * Path of a file with the routes `/` (hello) and `/hang`.
 * @param more settings of the plugin that hangs.
 */
export async function writeHangingConfig(watchdogMs: number, more: object = {}): Promise<string> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'plugind-hanging-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  const wasm = path.join(dir, 'hanging.wasm');
  const hostFunctions = path.join(dir, 'host.mjs');
  writeFileSync(wasm, await assemble(GUEST));
  writeFileSync(hostFunctions, HOST);
  return writeConfig({
    watchdogMs,
    plugins: {
      hello: { wasm: exampleWasm('hello') },
      [HANGING.plugin]: { wasm, hostFunctions, ...more },
    },
    routes: [
      { path: '/', plugin: 'hello', function: 'hello' },
      { path: '/hang', plugin: HANGING.plugin, function: HANGING.function },
    ],
  });
}
