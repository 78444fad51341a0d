/**
 * A guest's descriptors: its numbers for stdin, stdout, stderr, its directories and what it opened.
 * They are this table's own numbers; those of node:wasi, and of the process, are never a guest's.
 */
import type { OutputStream } from './line-output.ts';
import type { Mount } from './mounts.ts';

/** Always at its end. */
export interface InputDescriptor {
  readonly kind: 'input';
}

export interface OutputDescriptor {
  readonly kind: 'output';
  readonly stream: OutputStream;
}

export interface FileDescriptor {
  readonly kind: 'file';
  /** Its number in node:wasi. */
  readonly inner: number;
  readonly readOnly: boolean;
}

export interface DirectoryDescriptor {
  readonly kind: 'directory';
  /** Its number in node:wasi; null is that of the mount itself. */
  readonly inner: number | null;
  readonly mount: Mount;
  /** Where it was when it was opened, from the mount's root. */
  readonly parts: readonly string[];
  readonly readOnly: boolean;
  /** Whether the guest was given it. */
  readonly isPreopen: boolean;
}

export type Descriptor = InputDescriptor | OutputDescriptor | FileDescriptor | DirectoryDescriptor;

const FIRST_FREE = 3;
/** The process's own number of descriptors is limited too, and other plugins need theirs. */
const MAX_OPEN = 128;

const STDIO: readonly Descriptor[] = [
  { kind: 'input' },
  { kind: 'output', stream: 'stdout' },
  { kind: 'output', stream: 'stderr' },
];

export class Descriptors {
  readonly #open = new Map<number, Descriptor>();
  /** False once a guest closed or replaced one of them. */
  #hasStdio = false;

  constructor(mounts: readonly Mount[]) {
    this.resetStdio();
    mounts.forEach((mount, index) => {
      const { readOnly } = mount;
      const preopen = { inner: null, mount, parts: [], readOnly, isPreopen: true } as const;
      this.#open.set(FIRST_FREE + index, { kind: 'directory', ...preopen });
    });
  }

  /** Gives a call stdin, stdout and stderr, whatever the last one closed; says what they replace. */
  resetStdio(): Descriptor[] {
    if (this.#hasStdio) return [];
    this.#hasStdio = true;
    return STDIO.flatMap((descriptor, fd) => {
      const old = this.#open.get(fd);
      this.#open.set(fd, descriptor);
      return old === undefined ? [] : [old];
    });
  }

  get(fd: number): Descriptor | undefined {
    return this.#open.get(fd);
  }

  get isFull(): boolean {
    return this.#open.size >= MAX_OPEN;
  }

  /** Under the lowest free number. */
  add(descriptor: Descriptor): number {
    let fd = FIRST_FREE;
    while (this.#open.has(fd)) fd++;
    this.#open.set(fd, descriptor);
    return fd;
  }

  delete(fd: number): void {
    this.#hasStdio &&= fd >= STDIO.length;
    this.#open.delete(fd);
  }

  /** Puts one in another's place; what was there is the caller's to close. */
  move(from: number, to: number): void {
    const moved = this.#open.get(from);
    if (moved === undefined || from === to) return;
    this.delete(from);
    this.delete(to);
    this.#open.set(to, moved);
  }

  clear(): void {
    this.#open.clear();
  }
}
