/**
 * CPU time of one call, without HTTP: the SDK as it is beside our kernel and guard,
 * in interleaved rounds of one process. Usage: node --import tsx bench/call-cost.ts
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import createSdkPlugin from '@extism/extism';
import { PLUGIN_DEFAULTS } from '../src/config/defaults.ts';
import { UNMARKED } from '../src/plugin/call-marker.ts';
import { compilePlugin } from '../src/plugin/compile-plugin.ts';
import { cpuPerCall, median } from './cpu-per-call.ts';

const ROUNDS = 15;
const CASES = [
  { plugin: 'count-vowels', functionName: 'count_vowels' },
  { plugin: 'hello', functionName: 'hello' },
  { plugin: 'hello-rust', functionName: 'hello' },
  { plugin: 'echo', functionName: 'echo' },
] as const;
const SIZES = [11, 1024, 102_400, 1_048_576];
/** Bytes that one round of a case moves, so that rounds take alike. */
const ROUND_BYTES = 4 * 1024 * 1024;
const MOST_CALLS = 5000;

const environment = { clock: () => performance.now(), marker: UNMARKED, onGuestLine: () => {} };

console.log(`Node ${process.version}, medians of ${ROUNDS} interleaved rounds, us of CPU a call`);
console.log('| plugin | bytes | SDK | plugind | plugind / SDK |\n|---|---|---|---|---|');
for (const { plugin, functionName } of CASES) {
  const file = path.join(import.meta.dirname, '../examples', plugin, `${plugin}.wasm`);
  const sdk = await createSdkPlugin({ wasm: [{ data: readFileSync(file) }] }, {});
  const compiled = await compilePlugin(
    { ...PLUGIN_DEFAULTS, timeoutMs: 60_000, name: plugin, source: { kind: 'wasm', path: file } },
    environment,
  );
  const ours = await compiled.instantiate();
  for (const size of SIZES) {
    const input = new Uint8Array(size).fill(97);
    const calls = Math.max(2, Math.min(MOST_CALLS, Math.floor(ROUND_BYTES / size)));
    const sdkTimes: number[] = [];
    const ourTimes: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      // The copy is part of what the SDK needs: it keeps the buffer that it is given.
      sdkTimes.push(await cpuPerCall(calls, () => sdk.call(functionName, new Uint8Array(input))));
      ourTimes.push(await cpuPerCall(calls, () => ours.call(functionName, input)));
    }
    const [a, b] = [median(sdkTimes), median(ourTimes)];
    console.log(
      `| ${plugin} | ${size} | ${a.toFixed(2)} | ${b.toFixed(2)} | ${(b / a).toFixed(2)} |`,
    );
  }
  await ours.close();
  await sdk.close();
}
