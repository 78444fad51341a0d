/**
 * Test helper: what has to hold for any module at all, checked by running it. Plain and guarded do
 * the same as long as there is fuel, and with any fuel for any number of periods the guarded one
 * ends when it is told to. One that was used and laid back from a snapshot does the same as a new one.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { GuardedModule } from '../../../src/plugin/guard/guarded-module.ts';
import type { ValueTypeName } from '../../../src/plugin/guard/module-facts.ts';
import { Snapshot } from '../../../src/plugin/snapshot.ts';
import { type AnyFunction, putCheck } from './guarded-instance.ts';
import type { Random } from './random.ts';

/** One call with few periods of fuel that takes so much CPU time has not ended in time. */
const MAX_CALL_US = 5_000_000;
const DENIED = 'no more fuel';
const PAGE_BYTES = 65_536;
/** An instance that grew past this is not laid back, as none of the engine's would be. */
const MAX_RESTORED_PAGES = 1000;

/** Host functions for a module. `exported` is called by index; every call is put in the trace. */
export type MakeImports = (host: Host) => WebAssembly.Imports;

export interface Host {
  readonly trace: string[];
  readonly entries: Entries;
  /** Calls the function of that name in the running instance, renamed or not, with plain arguments. */
  call(name: string): unknown;
  /** Whether the guest was told to end: then nothing may be caught on its behalf. */
  readonly denied: boolean;
}

/**
 * Calls from the host into one guest in all its life, and those open now. Each can make several more,
 * so a bound on their depth alone left modules that ran for hours.
 */
interface Entries {
  count: number;
  depth: number;
}

const ARGUMENTS: Record<ValueTypeName, unknown> = {
  i32: 7,
  i64: 9n,
  f32: 1.5,
  f64: -2.25,
  v128: 0,
  funcref: null,
  externref: 'a value',
};

interface Plan {
  readonly guarded: GuardedModule;
  readonly makeImports: MakeImports;
  /** Called whenever fuel is given; winds up a counter that would end the program by itself. */
  readonly windUp: string | null;
}

interface Budget {
  readonly fuel: number;
  readonly periods: number;
}

class Running implements Host {
  readonly trace: string[] = [];
  readonly entries: Entries = { count: 0, depth: 0 };
  denied = false;
  checks = 0;
  #exports: WebAssembly.Exports = {};
  readonly #plan: Plan;
  readonly #budget: Budget | null;

  constructor(plan: Plan, module: WebAssembly.Module, budget: Budget | null) {
    this.#plan = plan;
    this.#budget = budget;
    this.#exports = new WebAssembly.Instance(module, plan.makeImports(this)).exports;
    if (budget !== null) putCheck(this.#exports, () => this.#refill(budget));
  }

  #refill({ fuel, periods }: Budget): number {
    this.checks += 1;
    if (this.checks > periods) {
      this.denied = true;
      return 0;
    }
    if (this.#plan.windUp !== null && periods < Number.POSITIVE_INFINITY)
      this.call(this.#plan.windUp);
    return fuel;
  }

  call(name: string): unknown {
    const found = this.#plan.guarded.functions.find((item) => item.name === name);
    if (found === undefined) return undefined;
    const target = this.#exports[this.#budget === null ? name : found.exportName] as AnyFunction;
    return target(...found.params.map((type) => ARGUMENTS[type]));
  }

  /** Calls an export and puts its outcome in the trace. */
  record(name: string): void {
    const started = process.cpuUsage();
    this.checks = 0;
    this.denied = false;
    try {
      this.trace.push(`${name} returned ${String(this.call(name))}`);
    } catch (error) {
      this.trace.push(`${name} ended with ${this.denied ? DENIED : String(error)}`);
    }
    if (this.#budget !== null) {
      const { periods } = this.#budget;
      const { user, system } = process.cpuUsage(started);
      const isBounded = periods < Number.POSITIVE_INFINITY;
      assert.ok(!isBounded || user + system < MAX_CALL_US, `${name} ran too long`);
      assert.ok(this.checks <= periods + 1, `${name} went on after its end`);
      if (this.denied) assert.ok(this.trace.at(-1)?.endsWith(DENIED), `${name} outlived its end`);
    }
  }

  runStart(): void {
    if (this.#budget === null || !this.#plan.guarded.hasStart) return;
    (this.#exports['plugind:start'] as AnyFunction)();
  }

  runAll(): void {
    for (const { name } of this.#plan.guarded.functions) this.record(name);
    this.#recordState();
  }

  /** Runs everything, soils the memory, lays back the state from before, and runs everything again. */
  runAllTwice(): void {
    const memory = this.#exports['plugind:memory'] as WebAssembly.Memory | undefined;
    const globals = this.#plan.guarded.globals.map(
      ({ name }) => this.#exports[name] as WebAssembly.Global,
    );
    const snapshot = new Snapshot(memory ?? null, globals);
    const lines = this.trace.length;
    const { count } = this.entries;
    this.runAll();
    const buffer = memory?.buffer ?? new ArrayBuffer(0);
    if (buffer.byteLength > MAX_RESTORED_PAGES * PAGE_BYTES) return;
    new Uint8Array(buffer).fill(0xa5);
    snapshot.restore();
    this.trace.length = lines;
    this.entries.count = count;
    this.runAll();
  }

  #recordState(): void {
    for (const [name, item] of Object.entries(this.#exports)) {
      if (name.startsWith('plugind:')) continue;
      if (item instanceof WebAssembly.Memory) {
        const own = this.#exports['plugind:size'] as WebAssembly.Global<number> | undefined;
        const bytes = new Uint8Array(item.buffer).subarray(0, own && own.value * PAGE_BYTES);
        const hash = createHash('sha1').update(bytes).digest('hex');
        this.trace.push(`${name}: ${bytes.length} bytes, ${hash}`);
      } else if (item instanceof WebAssembly.Global) this.trace.push(`${name} = ${readable(item)}`);
      else if (item instanceof WebAssembly.Table) this.trace.push(`${name} has ${item.length}`);
    }
  }
}

/** A v128 cannot be read. */
function readable(global: WebAssembly.Global): string {
  try {
    return String(global.value);
  } catch {
    return 'unreadable';
  }
}

function runAll(
  plan: Plan,
  module: WebAssembly.Module,
  budget: Budget | null,
  run: (running: Running) => void = (running) => running.runAll(),
): readonly string[] {
  let running: Running;
  try {
    running = new Running(plan, module, budget);
    running.runStart();
  } catch (error) {
    return [`did not start: ${String(error)}`];
  }
  run(running);
  return running.trace;
}

/** What V8 says when the stack is full. */
export const STACK_OVERFLOW = 'Maximum call stack size exceeded';

/** What V8 says of an access beyond the memory. */
export const OUT_OF_BOUNDS = 'memory access out of bounds';

/** The first line that tells of it, or past the end. */
function firstOf(text: string, trace: readonly string[]): number {
  const line = trace.findIndex((one) => one.includes(text));
  return line === -1 ? Number.POSITIVE_INFINITY : line;
}

/**
 * Traces can have thousands of lines; the first that differs is what matters. Guarded code has
 * larger frames, so its stack is full earlier: from there on the two are not comparable.
 */
function assertSame(
  actual: readonly string[],
  expected: readonly string[],
  what: string,
  comparable: number = Number.POSITIVE_INFINITY,
): void {
  const length = Math.min(
    Math.max(actual.length, expected.length),
    firstOf(STACK_OVERFLOW, actual),
    firstOf(STACK_OVERFLOW, expected),
    comparable,
  );
  for (let line = 0; line < length; line += 1) {
    assert.equal(actual[line], expected[line], `${what}: line ${line} of ${length}`);
  }
}

/** Checks a module with its guarded self. `random` chooses the budgets. */
export function checkSameAndBounded(
  bytes: Uint8Array,
  guarded: GuardedModule,
  makeImports: MakeImports,
  windUp: string | null,
  random: Random,
): void {
  const plan: Plan = { guarded, makeImports, windUp };
  const plain = runAll(plan, new WebAssembly.Module(Uint8Array.from(bytes)), null);
  for (const fuel of [1, 2 + random.below(100), 1_000_000]) {
    const same = runAll(plan, guarded.module, { fuel, periods: Number.POSITIVE_INFINITY });
    assertSame(same, plain, `guarded with fuel ${fuel}`);
  }
  if (guarded.snapshot.restorable) {
    const budget = { fuel: 1 + random.below(10_000), periods: Number.POSITIVE_INFINITY };
    const same = runAll(plan, guarded.module, budget, (running) => running.runAllTwice());
    // One that has more memory than it shows does not trap between the two.
    assertSame(same, plain, 'restored', firstOf(OUT_OF_BOUNDS, plain));
  }
  for (const fuel of [1, 1 + random.below(50), 1 + random.below(5000)]) {
    runAll(plan, guarded.module, { fuel, periods: random.below(40) });
  }
}
