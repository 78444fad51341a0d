/**
 * What a guest that never has enough costs: time to its error (and of that, CPU time), and the peak of
 * the process's memory over what it was before, each bomb in a process of its own. Usage: node --import tsx bench/bombs.ts
 */
import { spawnSync } from 'node:child_process';
import { createPlugin } from '../src/plugin/create-plugin.ts';
import { assembleHostile, BOMBS, type HostileGuest } from '../test/plugin/hostile-guests.ts';
import { printTable } from './table.ts';

/** The default: 64 MiB. */
const MAX_PAGES = 1024;
const ROUNDS = 10;
/** The limits are to end it, also on a machine that is busy. */
const TIMEOUT_MS = 30_000;
const MEBIBYTE = 1024 * 1024;

const peakBytes = (): number => process.resourceUsage().maxRSS * 1024;

async function measure(hostile: HostileGuest): Promise<readonly string[]> {
  const { name, wasi = false } = hostile;
  const wasm = await assembleHostile(hostile);
  const plugin = await createPlugin({
    wasm,
    wasi,
    timeoutMs: TIMEOUT_MS,
    memory: { maxPages: MAX_PAGES },
  });
  await plugin.call('ok');
  const before = peakBytes();
  const times: number[] = [];
  const cpuTimes: number[] = [];
  const codes = new Set<string>();
  let good = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    const cpu = process.cpuUsage();
    await plugin.call('run').then(
      () => codes.add('no error'),
      (error: { code?: string }) => codes.add(error.code ?? String(error)),
    );
    times.push(performance.now() - startedAt);
    const { user, system } = process.cpuUsage(cpu);
    cpuTimes.push((user + system) / 1000);
    if ((await plugin.call('ok', 'x')).byteLength === 0) good++;
  }
  const grown = (peakBytes() - before) / MEBIBYTE;
  await plugin.close();
  return [
    name,
    [...codes].join(', '),
    ...summary(times),
    summary(cpuTimes)[0] as string,
    grown.toFixed(0),
    `${good} of ${ROUNDS}`,
  ];
}

/** Median and maximum. */
function summary(times: readonly number[]): readonly string[] {
  const sorted = [...times].sort((a, b) => a - b);
  return [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].map((ms) => (ms ?? 0).toFixed(1));
}

const [, script, index] = process.argv;
if (index !== undefined) {
  console.log(JSON.stringify(await measure(BOMBS[Number(index)] as HostileGuest)));
} else {
  const rows = BOMBS.map((_, bomb) => {
    const args = [...process.execArgv, script as string, String(bomb)];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as string[];
  });
  console.log(`Node ${process.version}, limit ${(MAX_PAGES * 65_536) / MEBIBYTE} MiB`);
  printTable(
    [
      'bomb',
      'error',
      'ms, median',
      'ms, most',
      'ms of CPU, median',
      'MiB over the base',
      'next call right',
    ],
    rows,
  );
}
