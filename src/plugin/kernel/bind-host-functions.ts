/**
 * Makes an embedder's host functions fit for a guest: the first argument becomes our call context
 * instead of the SDK's, and a throw, or a result that is none of the import's type, ends the call
 * with its error instead of entering the guest.
 */
import { types as kinds } from 'node:util';
import { ServerError } from '../../errors.ts';
import type { ValueTypeName } from '../guard/module-facts.ts';
import type { CallContext } from './call-context.ts';
import { fitsResults, importKey, type ResultTypes } from './host-results.ts';
import { KERNEL_ITEM } from './kernel.ts';
import type { KernelHost } from './kernel-host.ts';

/** As the SDK takes it: call context first, then what the guest passed (i64 as bigint). */
// biome-ignore lint/suspicious/noExplicitAny: parameters are the guest's business, as in the SDK
export type HostFunction = (context: CallContext, ...values: any[]) => unknown;

/** Import namespace -> name -> function. */
export type HostFunctions = Readonly<Record<string, Readonly<Record<string, HostFunction>>>>;

type BoundFunction = (sdkContext: unknown, ...values: unknown[]) => unknown;

/** What a function that was not run gives the guest: converts to 0 of any number type. */
const NOTHING = false;
const AsyncFunction = (async () => {}).constructor;

/** The SDK would prefer the kernel, or its own WASI, without a word. */
const RESERVED = new Set([KERNEL_ITEM, 'wasi_snapshot_preview1']);

export interface BindOptions {
  readonly host: KernelHost;
  /** Asked for at call time, since it exists only once the instance does. */
  readonly context: () => CallContext;
  /** Of the plugin's imports. */
  readonly resultTypes: ResultTypes;
}

/**
 * New objects for the SDK's `functions`, for one instance alone.
 * @throws ServerError `CONFIG_INVALID` for a namespace that is the engine's own.
 */
export function bindHostFunctions(
  functions: HostFunctions,
  options: BindOptions,
): Record<string, Record<string, BoundFunction>> {
  const bound: Record<string, Record<string, BoundFunction>> = {};
  for (const [namespace, members] of Object.entries(functions)) {
    if (RESERVED.has(namespace) || namespace.startsWith('plugind:')) {
      throw new ServerError('CONFIG_INVALID', `host functions cannot be in "${namespace}"`);
    }
    bound[namespace] = Object.fromEntries(
      Object.entries(members).map(([name, member]) => [
        name,
        bind({ namespace, name }, member, options),
      ]),
    );
  }
  return bound;
}

/** Whether one of them waits while the guest is suspended. */
export function hasAsync(functions: HostFunctions): boolean {
  return Object.values(functions).some((members) =>
    Object.values(members).some((member) => member instanceof AsyncFunction),
  );
}

function bind(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  member: HostFunction,
  { host, context, resultTypes }: BindOptions,
): BoundFunction {
  const label = `${namespace}.${name}`;
  const types = resultTypes.get(importKey(namespace, name)) ?? [];
  const call = (values: readonly unknown[]): unknown => {
    host.startClock();
    return member(context(), ...values);
  };
  // The SDK suspends the guest for functions declared async, so the wrapper has to be of that kind.
  return member instanceof AsyncFunction
    ? async (_sdk, ...values) =>
        host.runSuspended<unknown>(NOTHING, async () =>
          requireResult(label, types, await call(values)),
        )
    : (_sdk, ...values) =>
        host.run<unknown>(NOTHING, () =>
          requireResult(label, types, requireValue(label, call(values))),
        );
}

/** Nobody would wait for a promise, and its rejection would end the process. */
function requireValue(label: string, returned: unknown): unknown {
  if (!kinds.isPromise(returned)) return returned;
  returned.catch(() => {});
  throw new ServerError(
    'INTERNAL',
    `the host function ${label} returned a promise; declare it async to have it waited for`,
  );
}

/** What does not convert would trap the guest, and some of what does would be 0 without a word. */
function requireResult(label: string, types: readonly ValueTypeName[], returned: unknown): unknown {
  if (fitsResults(returned, types)) return returned;
  const wanted = types.join(', ');
  throw new ServerError(
    'INTERNAL',
    `the host function ${label} has to return ${wanted}, not ${describe(returned)}`,
    { details: { hostFunction: label } },
  );
}

/** The kind only: what it returned may be a secret. */
function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
