/**
 * Test helper: what has to hold for any module at all, checked by running it. Plain and guarded do
 * the same as long as there is fuel, and with any fuel for any number of periods the guarded one
 * ends when it is told to.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { GuardedModule } from '../../../src/plugin/guard/guarded-module.ts';
import type { ValueTypeName } from '../../../src/plugin/guard/module-facts.ts';
import { type AnyFunction, putCheck } from './guarded-instance.ts';
import type { Random } from './random.ts';

/** One call with few periods of fuel that takes so much CPU time has not ended in time. */
const MAX_CALL_US = 5_000_000;
const DENIED = 'no more fuel';

/** Host functions for a module. `exported` is called by index; every call is put in the trace. */
export type MakeImports = (host: Host) => WebAssembly.Imports;

export interface Host {
  readonly trace: string[];
  /** Calls the function of that name in the running instance, renamed or not, with plain arguments. */
  call(name: string): unknown;
  /** Whether the guest was told to end: then nothing may be caught on its behalf. */
  readonly denied: boolean;
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

  recordState(): void {
    for (const [name, item] of Object.entries(this.#exports)) {
      if (name.startsWith('plugind:')) continue;
      if (item instanceof WebAssembly.Memory) {
        const hash = createHash('sha1').update(new Uint8Array(item.buffer)).digest('hex');
        this.trace.push(`${name}: ${item.buffer.byteLength} bytes, ${hash}`);
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

function runAll(plan: Plan, module: WebAssembly.Module, budget: Budget | null): readonly string[] {
  let running: Running;
  try {
    running = new Running(plan, module, budget);
    running.runStart();
  } catch (error) {
    return [`did not start: ${String(error)}`];
  }
  for (const { name } of plan.guarded.functions) running.record(name);
  running.recordState();
  return running.trace;
}

/** What V8 says when the stack is full. */
export const STACK_OVERFLOW = 'Maximum call stack size exceeded';

/** The line in which the stack first was full, or past the end. */
function firstOverflow(trace: readonly string[]): number {
  const line = trace.findIndex((text) => text.includes(STACK_OVERFLOW));
  return line === -1 ? Number.POSITIVE_INFINITY : line;
}

/**
 * Traces can have thousands of lines; the first that differs is what matters. Guarded code has
 * larger frames, so its stack is full earlier: from there on the two are not comparable.
 */
function assertSame(actual: readonly string[], expected: readonly string[], what: string): void {
  const length = Math.min(
    Math.max(actual.length, expected.length),
    firstOverflow(actual),
    firstOverflow(expected),
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
  for (const fuel of [1, 1 + random.below(50), 1 + random.below(5000)]) {
    runAll(plan, guarded.module, { fuel, periods: random.below(40) });
  }
}
