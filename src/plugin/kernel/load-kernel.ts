/**
 * The compiled kernel: read and compiled once per thread, when first asked for. Every instance of
 * every plugin links this one module.
 */
import { readFileSync } from 'node:fs';

let compiled: WebAssembly.Module | null = null;

export function loadKernel(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('./kernel.wasm', import.meta.url)));
  return compiled;
}
