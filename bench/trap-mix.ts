/**
 * Good calls with one in a hundred that traps, against good calls alone: latency of the good ones,
 * memory and open files of the process. The guest has a directory and a file open when it traps.
 * Usage: node --import tsx bench/trap-mix.ts [TRAPS]
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createPlugin, type Plugin } from '../src/plugin/create-plugin.ts';
import { assembleTrapper, goodAndTrapping } from '../test/plugin/trap-mix.ts';
import { printTable } from './table.ts';

const TRAPS = Number(process.argv[2] ?? 10_000);
const ONE_IN = 100;
const MEBIBYTE = 1024 * 1024;

async function measure(plugin: Plugin, name: string, oneIn: number): Promise<readonly string[]> {
  const { latenciesUs, wrong, trapped } = await goodAndTrapping(plugin, TRAPS * ONE_IN, oneIn);
  const sorted = latenciesUs.sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  const rss = (process.memoryUsage.rss() / MEBIBYTE).toFixed(0);
  const descriptors = String(readdirSync('/proc/self/fd').length);
  return [name, String(trapped), String(wrong), at(0.5), at(0.99), rss, descriptors];
}

const directory = mkdtempSync(path.join(tmpdir(), 'plugind-bench-'));
const plugin = await createPlugin({
  wasm: await assembleTrapper(),
  wasi: true,
  allowedPaths: { [directory]: '/' },
});
const rows = [
  await measure(plugin, 'warm-up', Number.POSITIVE_INFINITY),
  await measure(plugin, 'good calls alone', Number.POSITIVE_INFINITY),
  await measure(plugin, `one in ${ONE_IN} traps`, ONE_IN),
  await measure(plugin, 'good calls alone, after', Number.POSITIVE_INFINITY),
];
await plugin.close();
rmSync(directory, { recursive: true });
console.log(`Node ${process.version}, ${TRAPS * ONE_IN} calls each, one at a time`);
printTable(
  ['calls', 'trapped', 'wrong', 'us, median', 'us, p99', 'RSS MiB', 'open descriptors'],
  rows,
);
