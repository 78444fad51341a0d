/** What the items of one plugin may cost together while they are read: bytes, and time for downloads. */
import { ServerError } from '../../errors.ts';
import type { ResolveHost } from '../guest-http/exchange.ts';
import type { ManifestItem } from './manifest.ts';
import { type ItemContent, readItem } from './read-item.ts';
import { READ_LIMITS, type ReadLimits } from './wasm-limits.ts';

export interface ReadBudgetOptions extends Partial<ReadLimits> {
  /** For downloads. Default: the system's resolver. */
  readonly resolve?: ResolveHost;
}

/** The time runs from the first moment; whoever makes one closes it. */
export class ReadBudget {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #resolve: ResolveHost | undefined;
  #leftBytes: number;

  constructor(options: ReadBudgetOptions = {}) {
    const { maxWasmBytes, downloadTimeoutMs } = { ...READ_LIMITS, ...options };
    this.#resolve = options.resolve;
    this.#leftBytes = maxWasmBytes;
    this.#timer = setTimeout(() => {
      const message = `no answer within ${downloadTimeoutMs} ms`;
      this.#abort.abort(
        new ServerError('CALL_DEADLINE', message, { details: { downloadTimeoutMs } }),
      );
    }, downloadTimeoutMs);
  }

  /** @throws ServerError as `readItem` does. */
  async read(where: string, item: Pick<ManifestItem, 'source' | 'hash'>): Promise<ItemContent> {
    const content = await readItem(where, item, {
      maxBytes: this.#leftBytes,
      signal: this.#abort.signal,
      resolve: this.#resolve,
    });
    this.#leftBytes -= content.bytes.length;
    return content;
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
