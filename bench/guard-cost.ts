/**
 * What the guard costs: the same module plain and guarded on our kernel, in interleaved rounds of one
 * process, in CPU time a call: of the bare call (begin, guest, finish), and of the whole call of an
 * instance, which does more around it. Usage: node --import tsx bench/guard-cost.ts
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PLUGIN_DEFAULTS } from '../src/config/defaults.ts';
import { UNMARKED } from '../src/plugin/call-marker.ts';
import { compilePlugin } from '../src/plugin/compile-plugin.ts';
import { Deadline } from '../src/plugin/deadline.ts';
import { guardModule } from '../src/plugin/guard/guard.ts';
import { GUARD_EXPORTS } from '../src/plugin/guard/guarded-module.ts';
import { KERNEL_HOST_NAMESPACE, KERNEL_ITEM, Kernel } from '../src/plugin/kernel/kernel.ts';
import { loadKernel } from '../src/plugin/kernel/load-kernel.ts';
import { assemble } from '../test/helpers/wat.ts';
import { putCheck } from '../test/plugin/guard/guarded-instance.ts';
import { printTable } from './table.ts';

const ROUNDS = 41;
/** CPU time that one round of a case takes, about. */
const ROUND_US = 10_000;
const TIMEOUT_MS = 60_000;

interface Case {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly functionName: string;
  readonly input: Uint8Array;
}

const example = (name: string): Uint8Array =>
  readFileSync(path.join(import.meta.dirname, '../examples', name, `${name}.wasm`));
const letters = (length: number): Uint8Array => new Uint8Array(length).fill(97);

const EMPTY_LOOP = await assemble(`(module (func (export "run") (result i32) (local $n i32)
  (local.set $n (i32.const 1000000))
  (loop $again (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
  (i32.const 0)))`);

const CASES: readonly Case[] = [
  ['hello, 11 B', example('hello'), 'hello', letters(11)],
  ['hello in Rust, 11 B', example('hello-rust'), 'hello', letters(11)],
  ['count_vowels, 11 B', example('count-vowels'), 'count_vowels', letters(11)],
  ['count_vowels, 1 KB', example('count-vowels'), 'count_vowels', letters(1024)],
  ['count_vowels, 100 KB', example('count-vowels'), 'count_vowels', letters(102_400)],
  ['an empty loop, 1,000,000 rounds', EMPTY_LOOP, 'run', letters(0)],
].map(([name, bytes, functionName, input]) => ({ name, bytes, functionName, input }) as Case);

/** Nothing that these guests reach. */
const nothing = (): number => 0;

/** One call with its begin and end, as an inline instance makes it, with the guard or without. */
function prepare({ bytes, functionName, input }: Case, isGuarded: boolean): () => void {
  const names = WebAssembly.Module.imports(loadKernel()).map(({ name }) => [name, nothing]);
  const mayGrow = (): number => 1;
  const host = {
    [KERNEL_HOST_NAMESPACE]: { ...Object.fromEntries(names), may_grow: mayGrow },
  };
  const kernelExports = new WebAssembly.Instance(loadKernel(), host).exports;
  const kernel = new Kernel(kernelExports, { maxHeapPages: 1024, maxOutputBytes: 1 << 20 });
  const options = { label: 'bench', maxMemoryPages: 1024, maxTableElements: 1_000_000 };
  const module = isGuarded
    ? guardModule(bytes, { ...options, snapshot: null }).module
    : new WebAssembly.Module(Uint8Array.from(bytes));
  const imports: WebAssembly.Imports = { [KERNEL_ITEM]: kernelExports as never };
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    if (from !== KERNEL_ITEM) imports[from] = { ...imports[from], [name]: nothing };
  }
  const { exports } = new WebAssembly.Instance(module, imports);
  const deadline = new Deadline(() => performance.now());
  if (isGuarded) {
    putCheck(exports, deadline.refuel);
    deadline.attach([exports[GUARD_EXPORTS.fuel] as WebAssembly.Global<number>]);
    // V8 has run the plain one's.
    deadline.start(TIMEOUT_MS);
    (exports[GUARD_EXPORTS.start] as unknown as (() => void) | undefined)?.();
  }
  const guest = exports[functionName] as unknown as () => number;
  return () => {
    if (isGuarded) deadline.start(TIMEOUT_MS);
    kernel.begin(input);
    kernel.finish(guest());
  };
}

function cpuPerCall(call: () => void, calls: number): number {
  const before = process.cpuUsage();
  for (let count = 0; count < calls; count++) call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

/** The same call through an instance of the engine. */
async function prepareWhole({ bytes, functionName, input }: Case): Promise<() => void> {
  const manifest = { wasm: [{ data: Buffer.from(bytes).toString('base64') }] };
  const source = { kind: 'manifest', manifest, baseDir: process.cwd() } as const;
  const compiled = await compilePlugin(
    { ...PLUGIN_DEFAULTS, timeoutMs: TIMEOUT_MS, name: 'bench', source },
    { clock: () => performance.now(), marker: UNMARKED, onGuestLine: () => {} },
  );
  const instance = await compiled.instantiate();
  return () => void instance.call(functionName, input);
}

async function measure(one: Case): Promise<readonly string[]> {
  const [plain, guarded, whole] = [
    prepare(one, false),
    prepare(one, true),
    await prepareWhole(one),
  ];
  // Long enough for V8 to have compiled both with its optimising compiler.
  for (const call of [plain, guarded, whole]) {
    const until = performance.now() + 300;
    while (performance.now() < until) call();
  }
  const calls = Math.max(1, Math.round(ROUND_US / cpuPerCall(plain, 50)));
  const times: (readonly [plain: number, guarded: number, whole: number])[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    times.push([cpuPerCall(plain, calls), cpuPerCall(guarded, calls), cpuPerCall(whole, calls)]);
  }
  // Of each round by itself: what slows all of a round down does not show.
  const bare = median(times.map(([off, on]) => on / off));
  const ofWhole = median(times.map(([off, on, all]) => all / Math.max(all - (on - off), off)));
  const us = [0, 1, 2].map((at) => median(times.map((round) => round[at] as number)).toFixed(2));
  return [one.name, ...us, bare.toFixed(2), ofWhole.toFixed(2)];
}

const rows: (readonly string[])[] = [];
for (const one of CASES) rows.push(await measure(one));
console.log(`Node ${process.version}, ${ROUNDS} interleaved rounds, us of CPU a call`);
printTable(
  ['call', 'bare, guard off', 'bare, guard on', 'whole, guard on', 'ratio, bare', 'ratio, whole'],
  rows,
);
