/**
 * The manifest item that guests are linked to as `extism:host/env`: it hands each function of our
 * kernel through, without code of its own. An item, because the SDK puts its own `http_request`
 * (without time-out or check of redirects) in place of one given in `functions` where the engine has
 * JSPI; what an item exports it leaves alone. test/plugin/kernel/sdk-contract.test.ts has the case.
 */
import { ServerError } from '../../errors.ts';
import type { GuardedImport } from '../guard/guarded-module.ts';
import { RESERVED_PREFIX } from '../guard/guarded-module.ts';
import { KERNEL_ITEM } from './kernel.ts';
import { loadKernel } from './load-kernel.ts';
import { encodeShim } from './shim.ts';

/** What the item imports from: the kernel's exports. No guest may import from here. */
export const KERNEL_LINK_NAMESPACE = 'plugind:kernel';

/**
 * @param imports those of all modules of a plugin.
 * @throws ServerError `PLUGIN_COMPILE_FAILED`, naming each import that the kernel has not.
 */
export function encodeKernelItem(imports: readonly GuardedImport[]): Uint8Array<ArrayBuffer> {
  const wanted = imports.filter(({ module }) => module === KERNEL_ITEM);
  const known = new Set(
    WebAssembly.Module.exports(loadKernel())
      .filter(({ name, kind }) => kind === 'function' && !name.startsWith(RESERVED_PREFIX))
      .map(({ name }) => name),
  );
  const unknown = wanted.filter(({ name, type }) => type === null || !known.has(name));
  if (unknown.length > 0) {
    const names = [...new Set(unknown.map(({ name }) => name))];
    throw new ServerError(
      'PLUGIN_COMPILE_FAILED',
      `imports that ${KERNEL_ITEM} has not: ${names.join(', ')}`,
      { details: { imports: names } },
    );
  }
  // Each by its first type: a module that wants another one cannot be linked, nor could it before.
  const byName = new Map(wanted.map(({ name, type }) => [name, type] as const).reverse());
  return encodeShim(
    [...byName].map(([name, type]) => ({
      kind: 'function',
      module: KERNEL_LINK_NAMESPACE,
      name,
      as: name,
      params: type?.params ?? [],
      results: type?.results ?? [],
    })),
  );
}
