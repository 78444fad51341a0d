/**
 * For `watch: true`, in development: tells when a file that the configuration was made of changed
 * and has settled. Folders are watched, not files: editors and compilers put a new file in place.
 */
import { type FSWatcher, statSync, watch } from 'node:fs';
import path from 'node:path';
import type { Accepted } from '../config/accepted-config.ts';
import type { Logger } from '../log.ts';

export interface SourceWatchOptions {
  readonly onSettled: () => void;
  readonly log: Logger;
}

/** No file may have changed for this long. */
const SETTLE_MS = 300;

export class SourceWatch {
  readonly #options: SourceWatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #sources: ReadonlySet<string> = new Set();
  /** What the files looked like when they were last read or a roll was last asked for. */
  #seen = '';
  #timer: NodeJS.Timeout | null = null;

  constructor(options: SourceWatchOptions) {
    this.#options = options;
  }

  /** From here on the sources of this configuration count, or none where it says so. */
  follow({ config, sources }: Pick<Accepted, 'config' | 'sources'>): void {
    const wanted = new Set(config.watch ? sources : []);
    const isSame = [...wanted].join('\n') === [...this.#sources].join('\n');
    this.#sources = wanted;
    // Of the same files what was seen stands: one may have changed since it was read.
    if (!isSame) this.#seen = this.#look();
    const folders = new Set([...this.#sources].map((file) => path.dirname(file)));
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watchFolder(folder);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watchFolder(folder: string): void {
    const { log } = this.#options;
    try {
      const watcher = watch(folder, (_event, name) => {
        if (name === null || this.#sources.has(path.join(folder, name))) this.#settleAnew();
      });
      watcher.on('error', (err) => log.warn({ err, folder }, 'folder cannot be watched'));
      this.#watchers.set(folder, watcher);
    } catch (err) {
      log.warn({ err, folder }, 'folder cannot be watched');
    }
  }

  #settleAnew(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const now = this.#look();
      if (now === this.#seen) return;
      this.#seen = now;
      this.#options.onSettled();
    }, SETTLE_MS);
  }

  #look(): string {
    return [...this.#sources].map(describe).join('\n');
  }
}

function describe(file: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(file);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
