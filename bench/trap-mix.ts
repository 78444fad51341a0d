/**
 * Good calls with one in a hundred that traps, against good calls alone: latency of the good ones,
 * memory and open files of the process. Two guests: one is all memory and globals, the other has a directory
 * and a file open when it traps.
 * Usage: node --import tsx bench/trap-mix.ts [TRAPS]
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type CreatePluginOptions,
  createPlugin,
  type Plugin,
} from '../src/plugin/create-plugin.ts';
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

async function mix(title: string, options: CreatePluginOptions): Promise<void> {
  const plugin = await createPlugin(options);
  const rows = [
    await measure(plugin, 'warm-up', Number.POSITIVE_INFINITY),
    await measure(plugin, 'good calls alone', Number.POSITIVE_INFINITY),
    await measure(plugin, `one in ${ONE_IN} traps`, ONE_IN),
    await measure(plugin, 'good calls alone, after', Number.POSITIVE_INFINITY),
  ];
  await plugin.close();
  console.log(title);
  printTable(
    ['calls', 'trapped', 'wrong', 'us, median', 'us, p99', 'RSS MiB', 'open descriptors'],
    rows,
  );
}

console.log(`Node ${process.version}, ${TRAPS * ONE_IN} calls each, one at a time`);
await mix('laid back after a trap', { wasm: await assembleTrapper(false) });
const directory = mkdtempSync(path.join(tmpdir(), 'plugind-bench-'));
await mix('with files open, which takes another instance', {
  wasm: await assembleTrapper(),
  wasi: true,
  allowedPaths: { [directory]: '/' },
});
rmSync(directory, { recursive: true });
