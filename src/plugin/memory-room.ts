/**
 * The one place that knows how much memory an instance holds: the memories of all its guests and the
 * kernel's heap. Whichever of them is to grow asks here first, so that together they stay within
 * `memory.maxPages` at any time. Sizes are read anew for each question; growing is rare. Where one of
 * them would not ask, each guest has a maximum of its own, and only the kernel's heap is in question.
 */
import type { Kernel } from './kernel/kernel.ts';

/** Gives the size of one guest memory, in pages of 64 KiB. */
export type PageCount = () => number;

export class MemoryRoom {
  readonly #maxPages: number;
  readonly #reservedPages: number;
  #guests: readonly PageCount[] = [];
  #kernel: Kernel | null = null;
  #initialGuestPages = 0;
  #hasRefused = false;

  /** @param reservedPages the guests' maxima together where one does not ask; else 0. */
  constructor(maxPages: number, reservedPages: number) {
    this.#maxPages = maxPages;
    this.#reservedPages = reservedPages;
  }

  /** Joins the instance's memories. Before that nothing runs that could grow one. */
  attach(guests: readonly PageCount[], kernel: Kernel): void {
    this.#guests = guests;
    this.#kernel = kernel;
    this.#initialGuestPages = this.guestPages;
  }

  /** Call it at the beginning of each call. */
  begin(): void {
    this.#hasRefused = false;
  }

  /** Whether a guest of this call wanted more than there was, or took all that it could unasked. */
  get hasRefused(): boolean {
    return this.#hasRefused || this.#hasTakenReserve();
  }

  get guestPages(): number {
    let pages = 0;
    for (const count of this.#guests) pages += count();
    return pages;
  }

  /** Guests and kernel together. */
  get pages(): number {
    return this.guestPages + this.#heapPages;
  }

  /** The kernel's question, which counts its refusals itself. @param wanted pages more. */
  readonly mayGrow = (wanted: number): boolean => {
    const held = this.#reservedPages > 0 ? this.#reservedPages + this.#heapPages : this.pages;
    return held + wanted <= this.#maxPages;
  };

  /** A guest's question, shaped for the SDK's `functions`: an i32 that is meant unsigned, 1 for yes. */
  readonly mayGuestGrow = (_sdkContext: unknown, wanted: number): number => {
    if (this.#reservedPages > 0 || this.mayGrow(wanted >>> 0)) return 1;
    this.#hasRefused = true;
    return 0;
  };

  /** A memory that asks for nothing meets its maximum without a word to us. */
  #hasTakenReserve(): boolean {
    if (this.#reservedPages === 0) return false;
    const { guestPages } = this;
    return guestPages > this.#initialGuestPages && guestPages >= this.#reservedPages;
  }

  get #heapPages(): number {
    return this.#kernel?.heapPages ?? 0;
  }
}
