/**
 * Gets the bytes of one manifest item, wherever they are, and holds them against the item's hash
 * before anybody compiles them.
 */
import { createHash } from 'node:crypto';
import { ServerError } from '../../errors.ts';
import type { DownloadBudget } from './download.ts';
import type { ItemSource, ManifestItem } from './manifest.ts';
import { readFile } from './read-file.ts';
import { checkPreamble, overSize } from './wasm-limits.ts';

export interface ItemContent {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hash: string;
  readonly origin: string;
}

/**
 * @param subject begins every message.
 * @throws ServerError `PLUGIN_NOT_FOUND`, or `PLUGIN_COMPILE_FAILED` for a wrong hash, too many
 * bytes, or bytes that are no module.
 */
export async function readItem(
  subject: string,
  item: Pick<ManifestItem, 'source' | 'hash'>,
  budget: DownloadBudget,
): Promise<ItemContent> {
  const origin = originOf(item.source);
  const where = `${subject}: ${origin}`;
  const bytes = await readSource(where, item.source, budget);
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (item.hash !== null && item.hash !== hash) {
    throw new ServerError(
      'PLUGIN_COMPILE_FAILED',
      `${where}: has the SHA-256 ${hash}, but the manifest says ${item.hash}`,
      { details: { expected: item.hash, actual: hash } },
    );
  }
  checkPreamble(where, bytes);
  return { bytes, hash, origin };
}

function originOf(source: ItemSource): string {
  switch (source.kind) {
    case 'path':
      return source.path;
    case 'data':
      return 'data';
    case 'url':
      return source.url.origin + source.url.pathname;
  }
}

async function readSource(
  where: string,
  source: ItemSource,
  budget: DownloadBudget,
): Promise<Uint8Array<ArrayBuffer>> {
  const { maxBytes } = budget;
  switch (source.kind) {
    case 'path':
      return readFile(where, source.path, maxBytes, (bytes) => overSize(where, bytes, maxBytes));
    case 'data': {
      const length = Buffer.byteLength(source.base64, 'base64');
      if (length > maxBytes) throw overSize(where, length, maxBytes);
      return new Uint8Array(Buffer.from(source.base64, 'base64'));
    }
    case 'url': {
      const { download } = await import('./download.ts');
      return download(where, source, budget);
    }
  }
}
