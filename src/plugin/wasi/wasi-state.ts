/** What the functions of one guest's WASI share. Made by guest-wasi.ts. */
import type { Descriptors } from './descriptors.ts';
import type { Errno } from './errno.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { LineOutput } from './line-output.ts';
import type { NodeFiles } from './node-files.ts';

export interface WasiState {
  readonly memory: GuestMemory;
  readonly output: LineOutput;
  readonly descriptors: Descriptors;
  /** null for a guest without directories, to which node:wasi is never asked. */
  readonly files: NodeFiles | null;
  /** Time that the running call has left. */
  readonly remainingMs: () => number;
}

/** One function of WASI: the guest's numbers, i64 as bigint. What it throws ends the call. */
export type WasiFunction = (wasi: WasiState, ...values: never[]) => Errno;

export type WasiFunctions = Readonly<Record<string, WasiFunction>>;
