/** What goes between a plugin's thread and its caller beside the shared memory. */
import type { ErrorCode } from '../../errors.ts';
import type { GuestLine } from '../engine-environment.ts';

/** Wakes, and says nothing. */
export type Wake = null;
export const WAKE: Wake = null;

/** Content that belongs to the request that is asked next. */
export type CallerMessage =
  | { readonly kind: 'input'; readonly bytes: Uint8Array }
  | { readonly kind: 'hostContext'; readonly value: unknown };

/** Content that belongs to the running request; lines may come between requests too. */
export type CalleeMessage =
  | { readonly kind: 'output'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'error';
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'line'; readonly line: GuestLine };
