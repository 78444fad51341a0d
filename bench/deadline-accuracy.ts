/**
 * When a guest that never ends is ended: each runaway of the tests, again and again under a deadline
 * of 100 ms, a good call after each. Usage: node --import tsx bench/deadline-accuracy.ts [ROUNDS]
 */
import { createPlugin } from '../src/plugin/create-plugin.ts';
import {
  assembleHostile,
  type HostileGuest,
  INFINITE_RECURSION,
  INIT_LOOPS,
  RUNAWAYS,
} from '../test/plugin/hostile-guests.ts';
import { printTable } from './table.ts';

const TIMEOUT_MS = 100;
/** Of the load deadline: initialisation never gets less. */
const INIT_TIMEOUT_MS = 1000;
const rounds = Number(process.argv[2] ?? 100);

/** Time to the error, and how the error is called. */
async function timed(run: () => Promise<unknown>): Promise<readonly [ms: number, code: string]> {
  const startedAt = performance.now();
  const code = await run().then(
    () => 'no error',
    (error: { code?: string }) => error.code ?? String(error),
  );
  return [performance.now() - startedAt, code];
}

async function measureCalls(hostile: HostileGuest): Promise<readonly string[]> {
  const { name, wasi = false } = hostile;
  const wasm = await assembleHostile(hostile);
  const plugin = await createPlugin({ wasm, wasi, timeoutMs: TIMEOUT_MS });
  const ends: (readonly [number, string])[] = [];
  let good = 0;
  for (let round = 0; round < rounds; round++) {
    ends.push(await timed(() => plugin.call('run')));
    if ((await plugin.call('ok')).byteLength === 0) good++;
  }
  await plugin.close();
  return row(name, ends, String(good));
}

async function measureLoads(hostile: HostileGuest): Promise<readonly string[]> {
  const wasm = await assembleHostile(hostile);
  const ends: (readonly [number, string])[] = [];
  // Each takes a second.
  for (let round = 0; round < Math.ceil(rounds / 10); round++) {
    ends.push(await timed(() => createPlugin({ wasm, timeoutMs: INIT_TIMEOUT_MS })));
  }
  return row(`${hostile.name} (load, ${INIT_TIMEOUT_MS} ms)`, ends, '-');
}

function row(
  name: string,
  ends: readonly (readonly [number, string])[],
  good: string,
): readonly string[] {
  const times = ends.map(([ms]) => ms).sort((a, b) => a - b);
  const at = (share: number): string =>
    (times[Math.min(times.length - 1, Math.floor(times.length * share))] as number).toFixed(1);
  const codes = [...new Set(ends.map(([, code]) => code))].join(', ');
  return [name, codes, at(0), at(0.5), at(0.99), at(1), `${good} of ${ends.length}`];
}

const rows: (readonly string[])[] = [];
for (const hostile of [...RUNAWAYS, INFINITE_RECURSION]) rows.push(await measureCalls(hostile));
for (const hostile of INIT_LOOPS) rows.push(await measureLoads(hostile));
console.log(
  `Node ${process.version}, deadline ${TIMEOUT_MS} ms, ${rounds} rounds; ms to the error`,
);
printTable(['guest', 'error', 'min', 'median', 'p99', 'max', 'next call right'], rows);
