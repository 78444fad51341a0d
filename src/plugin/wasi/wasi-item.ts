/**
 * The manifest item that stands in for the SDK's WASI. The SDK links items by name, so a module
 * called `wasi_snapshot_preview1` is what guests get; it hands each function of ours (guest-wasi.ts)
 * through from a JavaScript namespace.
 */
import { ServerError } from '../../errors.ts';
import type { FunctionType, GuardedImport } from '../guard/guarded-module.ts';
import { encodeShim } from '../kernel/shim.ts';
import { WASI_TYPES, type WasiType } from './wasi-types.ts';

/** What the item is called, and what guests import. */
export const WASI_ITEM = 'wasi_snapshot_preview1';
/** What the item imports from: `GuestWasi.functions`. No guest may import from here. */
export const WASI_HOST_NAMESPACE = 'plugind:wasi';

/**
 * The item's bytes; null where nothing imports WASI.
 * @param imports those of all modules of a plugin.
 * @throws ServerError `PLUGIN_COMPILE_FAILED`, naming each import that is not a function of WASI.
 */
export function encodeWasiItem(imports: readonly GuardedImport[]): Uint8Array<ArrayBuffer> | null {
  const wanted = imports.filter(({ module }) => module === WASI_ITEM);
  if (wanted.length === 0) return null;
  const unknown = wanted.filter((one) => !isKnown(one)).map(({ name }) => name);
  if (unknown.length > 0) {
    const names = [...new Set(unknown)];
    throw new ServerError(
      'PLUGIN_COMPILE_FAILED',
      `imports that ${WASI_ITEM} has not, or has as another type: ${names.join(', ')}`,
      { details: { imports: names } },
    );
  }
  const names = new Set(wanted.map(({ name }) => name));
  return encodeShim(
    [...names].map((name) => ({
      kind: 'function',
      module: WASI_HOST_NAMESPACE,
      name,
      as: name,
      ...(WASI_TYPES.get(name) as WasiType),
    })),
  );
}

function isKnown({ name, type }: GuardedImport): boolean {
  const known = WASI_TYPES.get(name);
  return known !== undefined && type !== null && isSameType(known, type);
}

function isSameType(one: WasiType, other: FunctionType): boolean {
  return `${one.params}:${one.results}` === `${other.params}:${other.results}`;
}
