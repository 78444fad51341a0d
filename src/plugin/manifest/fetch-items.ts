/**
 * Downloads the `url` items of a manifest for who stores them beside its other files: a worker that
 * is restarted must not need the server they came from.
 */
import type { FetchItems } from '../../config/store-plugin.ts';
import { parseCheckedManifest } from './parse-manifest.ts';
import { ReadBudget } from './read-budget.ts';

/**
 * The whole manifest is checked before anything is asked for, and each item against its hash.
 * @throws ServerError `CONFIG_INVALID`, `PLUGIN_NOT_FOUND` or `PLUGIN_COMPILE_FAILED`.
 */
export const fetchItems: FetchItems = async (where, manifest, baseDir) => {
  const { items } = parseCheckedManifest(where, manifest, baseDir);
  const budget = new ReadBudget();
  const fetched: (Uint8Array | null)[] = [];
  try {
    for (const [index, item] of items.entries()) {
      const isUrl = item.source.kind === 'url';
      const label = `${where}: wasm[${index}]`;
      fetched.push(isUrl ? (await budget.read(label, item)).bytes : null);
    }
  } finally {
    budget.close();
  }
  return fetched;
};
