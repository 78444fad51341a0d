/**
 * For `watch: true`, in development: tells when a file that the configuration was made of changed
 * and has settled. It looks at the files again and again: what tells of changes by itself knows
 * nothing of a link's target, of a folder that was made anew, or of what another machine wrote.
 */
import { statSync } from 'node:fs';
import type { Accepted } from '../config/accepted-config.ts';

export interface SourceWatchOptions {
  readonly onSettled: () => void;
}

/** From one look to the next, in which no file may have changed. A look takes some 5 us a file. */
const SETTLE_MS = 300;

export class SourceWatch {
  readonly #onSettled: () => void;
  #sources: readonly string[] = [];
  /** What the files looked like when they were last read or a roll was last asked for. */
  #seen = '';
  #last = '';
  #timer: NodeJS.Timeout | undefined;

  constructor({ onSettled }: SourceWatchOptions) {
    this.#onSettled = onSettled;
  }

  /** From here on the sources of this configuration count, or none where it says so. */
  follow({ config, sources }: Pick<Accepted, 'config' | 'sources'>): void {
    const wanted = config.watch ? sources : [];
    // Of the same files what was seen stands: one may have changed since it was read.
    if (wanted.join('\n') === this.#sources.join('\n')) return;
    this.close();
    this.#sources = wanted;
    this.#seen = this.#look();
    if (wanted.length > 0) this.#timer = setInterval(() => this.#compare(), SETTLE_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #compare(): void {
    const now = this.#look();
    const isSettled = now === this.#last;
    this.#last = now;
    if (!isSettled || now === this.#seen) return;
    this.#seen = now;
    this.#onSettled();
  }

  #look(): string {
    return this.#sources.map(describe).join('\n');
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
