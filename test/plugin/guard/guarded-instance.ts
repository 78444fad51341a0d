/**
 * Test helper: the host's half of the guard's contract. Instantiates a guarded module and puts a
 * check in place that counts how often it is asked and refuses more fuel after a number of times,
 * so that tests of deadlines need no clock.
 */
import { guardModule } from '../../../src/plugin/guard/guard.ts';
import type { GuardedModule, GuardOptions } from '../../../src/plugin/guard/guarded-module.ts';
import { assemble } from './assemble.ts';

export const OPTIONS: GuardOptions = {
  label: 'test.wasm',
  maxMemoryPages: 1024,
  maxTableElements: 10_000,
  snapshot: 'calls',
};

/** A table takes only functions that WebAssembly exports, so the answers pass through some. */
const PASS = new WebAssembly.Module(
  assemble(
    `(module
      (import "host" "check" (func $c (result i32)))
      (import "host" "grow" (func $g (param i32) (result i32)))
      (func (export "check") (result i32) (call $c))
      (func (export "grow") (param i32) (result i32) (call $g (local.get 0))))`,
  ),
);

export interface HostOptions {
  /** Fuel for each period. */
  fuel?: number;
  /** How many periods the module gets; the next question is answered with 0. */
  periods?: number;
  onCheck?: () => void;
  mayGrow?: (pages: number) => number;
  imports?: WebAssembly.Imports;
  guard?: Partial<GuardOptions>;
}

export interface GuardedInstance {
  readonly guarded: GuardedModule;
  readonly exports: WebAssembly.Exports;
  /** How often the module asked. */
  readonly checks: number;
  /** Calls an export, with the counter at 0, so that it asks at its first charge. */
  call(name: string, ...args: unknown[]): unknown;
}

export type AnyFunction = (...args: unknown[]) => unknown;

/**
 * Puts the host's half in place.
 * @param check called for more fuel; 0 ends the run.
 * @param mayGrow asked before memory grows, with the pages; 0 refuses.
 */
export function putCheck(
  exports: WebAssembly.Exports,
  check: () => number,
  mayGrow: (pages: number) => number = () => 1,
): void {
  const passing = new WebAssembly.Instance(PASS, { host: { check, grow: mayGrow } }).exports;
  const table = exports['plugind:check'] as WebAssembly.Table;
  table.set(0, passing.check);
  table.set(1, passing.grow);
}

export function instantiate(
  source: string | Uint8Array,
  options: HostOptions = {},
): GuardedInstance {
  const bytes = typeof source === 'string' ? assemble(source) : source;
  const guarded = guardModule(bytes, { ...OPTIONS, ...options.guard });
  const { exports } = new WebAssembly.Instance(guarded.module, options.imports);
  const { fuel = 1000, periods = Number.POSITIVE_INFINITY } = options;
  let checks = 0;
  const check = (): number => {
    checks += 1;
    options.onCheck?.();
    return checks > periods ? 0 : fuel;
  };
  putCheck(exports, check, options.mayGrow);
  return {
    guarded,
    exports,
    get checks() {
      return checks;
    },
    call(name, ...args) {
      (exports['plugind:fuel'] as WebAssembly.Global<number>).value = 0;
      return (exports[name] as unknown as AnyFunction)(...args);
    },
  };
}
