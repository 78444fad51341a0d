/**
 * What a fresh state for each call costs, without HTTP: shared, fresh by each of its ways, and a
 * plugin of the SDK made from bytes and one made from a compiled module for each call.
 * Usage: node --import tsx bench/fresh-cost.ts
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import createSdkPlugin from '@extism/extism';
import { PLUGIN_DEFAULTS } from '../src/config/defaults.ts';
import type { Isolation } from '../src/config/types.ts';
import { UNMARKED } from '../src/plugin/call-marker.ts';
import { chooseFreshWay } from '../src/plugin/choose-fresh-way.ts';
import { compilePlugin } from '../src/plugin/compile-plugin.ts';
import { printTable } from './table.ts';

const ROUNDS = 15;
const CALLS = 100;
const INPUT = Buffer.from('Bob Morane');
const environment = { clock: () => performance.now(), marker: UNMARKED, onGuestLine: () => {} };
const CASES = [
  { plugin: 'hello', wasi: false },
  { plugin: 'hello-rust', wasi: false },
  { plugin: 'hello-go', wasi: true },
] as const;

type Call = () => unknown;

async function ways(plugin: string, wasi: boolean): Promise<Map<string, Call>> {
  const file = path.join(import.meta.dirname, '../examples', plugin, `${plugin}.wasm`);
  const compile = (isolation: Isolation) =>
    compilePlugin(
      { ...PLUGIN_DEFAULTS, wasi, isolation, name: plugin, source: { kind: 'wasm', path: file } },
      environment,
    );
  const shared = await (await compile('shared')).instantiate();
  const compiled = await compile('fresh');
  const restored = await compiled.instantiate();
  const chosen = await chooseFreshWay(compiled, restored, environment.clock);
  const data = readFileSync(file);
  const module = new WebAssembly.Module(data);
  const sdk = async (item: object): Promise<void> => {
    const one = await createSdkPlugin({ wasm: [item as never] }, { useWasi: wasi });
    await one.call('hello', INPUT);
    await one.close();
  };
  const found = new Map<string, Call>([
    ['shared', () => shared.call('hello', INPUT)],
    [
      `fresh, new instance${chosen === 'instantiate' ? ' (chosen)' : ''}`,
      async () => {
        const one = await compiled.instantiate();
        await one.call('hello', INPUT);
        await one.close();
      },
    ],
    ['SDK, from a compiled module', () => sdk({ module })],
    ['SDK, from bytes', () => sdk({ data })],
  ]);
  if (await restored.restore()) {
    found.set(`fresh, restored${chosen === 'restore' ? ' (chosen)' : ''}`, async () => {
      await restored.call('hello', INPUT);
      await restored.restore();
    });
  }
  return found;
}

async function cpuPerCall(call: Call, calls: number): Promise<number> {
  const before = process.cpuUsage();
  for (let count = 0; count < calls; count++) await call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

console.log(`Node ${process.version}, medians of ${ROUNDS} interleaved rounds, us of CPU a call`);
const rows: string[][] = [];
for (const { plugin, wasi } of CASES) {
  const calls = await ways(plugin, wasi);
  const times = new Map([...calls.keys()].map((name) => [name, [] as number[]]));
  // From bytes V8 compiles anew each time.
  const count = wasi ? Math.ceil(CALLS / 20) : CALLS;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, call] of calls) times.get(name)?.push(await cpuPerCall(call, count));
  }
  const shared = median(times.get('shared') ?? []);
  for (const [name, one] of times) {
    const us = median(one);
    rows.push([plugin, name, us.toFixed(1), (us / shared).toFixed(1)]);
  }
}
printTable(['plugin', 'each call', 'us', 'times shared'], rows);
