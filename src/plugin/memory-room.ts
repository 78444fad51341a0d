/**
 * The one place that knows how much memory an instance holds: the memories of all its guests and the
 * kernel's heap. Whichever of them is to grow asks here first, so that together they stay within
 * `memory.maxPages` at any time. Sizes are read anew for each question; growing is rare.
 */
import type { Kernel } from './kernel/kernel.ts';

/** Gives the size of one guest memory, in pages of 64 KiB. */
export type PageCount = () => number;

export class MemoryRoom {
  readonly #maxPages: number;
  #guests: readonly PageCount[] = [];
  #kernel: Kernel | null = null;
  #hasRefused = false;

  constructor(maxPages: number) {
    this.#maxPages = maxPages;
  }

  /** Joins the instance's memories. Before that nothing runs that could grow one. */
  attach(guests: readonly PageCount[], kernel: Kernel): void {
    this.#guests = guests;
    this.#kernel = kernel;
  }

  /** Call it at the beginning of each call. */
  begin(): void {
    this.#hasRefused = false;
  }

  /** Whether a guest of this call wanted more than there was. */
  get hasRefused(): boolean {
    return this.#hasRefused;
  }

  get guestPages(): number {
    let pages = 0;
    for (const count of this.#guests) pages += count();
    return pages;
  }

  /** Guests and kernel together. */
  get pages(): number {
    return this.guestPages + (this.#kernel?.heapPages ?? 0);
  }

  /** The kernel's question, which counts its refusals itself. @param wanted pages more. */
  readonly mayGrow = (wanted: number): boolean => this.pages + wanted <= this.#maxPages;

  /** A guest's question, shaped for the SDK's `functions`: an i32 that is meant unsigned, 1 for yes. */
  readonly mayGuestGrow = (_sdkContext: unknown, wanted: number): number => {
    if (this.mayGrow(wanted >>> 0)) return 1;
    this.#hasRefused = true;
    return 0;
  };
}
