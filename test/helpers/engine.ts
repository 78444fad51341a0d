/**
 * Tests of what only some engines can do. On the others there is no such test, rather than one that
 * is skipped: what is skipped was meant to run.
 */
import { describe, it, type TestContext } from 'node:test';

/** Whether a plugin can be suspended while its host function waits (JSPI, from Node 25 on). */
export const CAN_SUSPEND: boolean = WebAssembly.Suspending !== undefined;

type DefineTest = (name: string, body: (t: TestContext) => void | Promise<void>) => void;

export function itWhere(has: boolean): DefineTest {
  return (name, body) => {
    if (has) void it(name, body);
  };
}

export function describeWhere(has: boolean): (name: string, body: () => void) => void {
  return (name, body) => {
    if (has) void describe(name, body);
  };
}
