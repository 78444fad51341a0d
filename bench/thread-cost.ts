/**
 * What a thread of its own costs a plugin: CPU time of a call beside the same call inline, in
 * interleaved rounds of one process, and how soon a plugin whose thread had to be ended serves again.
 * Beside it a thread that sends back by postMessage what it got that way, which does nothing else.
 * Usage: node scripts/build.js && node --import tsx bench/thread-cost.ts
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { PLUGIN_DEFAULTS } from '../src/config/defaults.ts';
import type { Execution } from '../src/config/types.ts';
import { UNMARKED } from '../src/plugin/call-marker.ts';
import { compilePlugin } from '../src/plugin/compile-plugin.ts';
import { createPlugin } from '../src/plugin/create-plugin.ts';
import { assemble } from '../test/helpers/wat.ts';
import { cpuPerCall, median } from './cpu-per-call.ts';

const ROUNDS = 15;
/**
 * After a pause some 2,000 calls pay a wake-up each on either side, until the scheduler has put both on
 * CPUs of their own: they are part of each round.
 */
const CALLS = 50_000;
/** Of those that pay wake-ups each time. */
const ECHOES = 3000;
/** Calls that come one by one find the thread asleep. */
const SPACED_CALLS = 300;
const ENDINGS = 20;
const DEADLINE_MS = 100;
const INPUT = Buffer.from('Bob Morane');
const WASM = path.join(import.meta.dirname, '../examples/hello/hello.wasm');

const environment = { clock: () => performance.now(), marker: UNMARKED, onGuestLine: () => {} };

async function createHello(execution: Execution) {
  const source = { kind: 'wasm', path: WASM } as const;
  const plugin = { ...PLUGIN_DEFAULTS, timeoutMs: 60_000, name: 'hello', source, execution };
  const compiled = await compilePlugin(plugin, environment);
  const instance = await compiled.instantiate();
  return {
    call: () => instance.call('hello', INPUT),
    close: async () => {
      await instance.close();
      await compiled.close();
    },
  };
}

/** Each call after a pause, in which the thread falls asleep; the pause's own cost is taken off. */
async function spaced(call: () => unknown): Promise<number> {
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));
  const withCalls = await cpuPerCall(SPACED_CALLS, async () => {
    await pause();
    await call();
  });
  return withCalls - (await cpuPerCall(SPACED_CALLS, pause));
}

function startEcho(): { call(): Promise<unknown>; close(): Promise<unknown> } {
  const code =
    "const { parentPort } = require('node:worker_threads'); parentPort.on('message', (m) => parentPort.postMessage(m));";
  const worker = new Worker(code, { eval: true });
  return {
    call: () =>
      new Promise((resolve) => {
        worker.once('message', resolve);
        worker.postMessage(INPUT);
      }),
    close: () => worker.terminate(),
  };
}

async function callCost(): Promise<void> {
  const inline = await createHello('inline');
  const thread = await createHello('thread');
  const echo = startEcho();
  const times = { inline: [] as number[], thread: [] as number[], echo: [] as number[] };
  const spacedTimes = { inline: [] as number[], thread: [] as number[], echo: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.inline.push(await cpuPerCall(CALLS, inline.call));
    times.thread.push(await cpuPerCall(CALLS, thread.call));
    times.echo.push(await cpuPerCall(ECHOES, echo.call));
    spacedTimes.inline.push(await spaced(inline.call));
    spacedTimes.thread.push(await spaced(thread.call));
    spacedTimes.echo.push(await spaced(echo.call));
  }
  await inline.close();
  await thread.close();
  await echo.close();
  console.log('| hello, us of CPU a call | inline | thread | more | echo by postMessage |');
  console.log('|---|---|---|---|---|');
  for (const [name, { inline: one, thread: other, echo: bare }] of [
    ['one after another', times],
    ['1 ms apart', spacedTimes],
  ] as const) {
    const [a, b] = [median(one), median(other)];
    const columns = [name, ...[a, b, b - a, median(bare)].map((us) => us.toFixed(1))];
    console.log(`| ${columns.join(' | ')} |`);
  }
}

const BLOCKING = `(module
  (import "host" "wait" (func $wait))
  (func (export "block") (result i32) (call $wait) (i32.const 0))
  (func (export "ok") (result i32) (i32.const 0)))`;
const HOST = `export const host = {
  wait() { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); },
};`;

/** From the deadline's error to the answer of the next call, which was waiting. */
async function servesAgain(): Promise<void> {
  const dir = mkdtempSync(path.join(tmpdir(), 'plugind-bench-'));
  const hostFunctionsFile = path.join(dir, 'host.mjs');
  writeFileSync(hostFunctionsFile, HOST);
  const plugin = await createPlugin({
    wasm: await assemble(BLOCKING),
    execution: 'thread',
    timeoutMs: DEADLINE_MS,
    hostFunctionsFile,
  });
  const endedMs: number[] = [];
  const againMs: number[] = [];
  for (let round = 0; round < ENDINGS; round++) {
    await plugin.call('ok');
    // The spare of the round before has started.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const startedAt = performance.now();
    let endedAt = 0;
    const blocked = plugin.call('block').catch(() => {
      endedAt = performance.now();
    });
    const next = plugin.call('ok').then(() => performance.now());
    await blocked;
    endedMs.push(endedAt - startedAt);
    againMs.push((await next) - endedAt);
  }
  await plugin.close();
  rmSync(dir, { recursive: true });
  const show = (times: readonly number[]): string =>
    `median ${median(times).toFixed(1)} ms, longest ${Math.max(...times).toFixed(1)} ms`;
  console.log(`ended at a deadline of ${DEADLINE_MS} ms: ${show(endedMs)}`);
  console.log(`from there to the next answer: ${show(againMs)}`);
}

console.log(`Node ${process.version}, medians of ${ROUNDS} interleaved rounds`);
await callCost();
await servesAgain();
