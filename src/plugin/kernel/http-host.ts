/**
 * What the kernel's host side asks of whoever makes a guest's HTTP requests. Allow-list, redirects,
 * time-out and response size are the implementer's; this side moves bytes in and out of the kernel.
 */

export interface GuestHttpResponse {
  readonly status: number;
  /** What the guest reads with `http_headers`; null where it may not. */
  readonly headers: Readonly<Record<string, string>> | null;
  readonly body: Uint8Array;
}

/** A thrown `ServerError` ends the guest's call with its code. */
export type GuestHttp =
  | {
      /** The guest's thread waits. */
      readonly kind: 'blocking';
      /** @param request the guest's JSON: url, method, headers. Both arguments are copies. */
      readonly request: (request: Uint8Array, body: Uint8Array | null) => GuestHttpResponse;
    }
  | {
      /** The guest's stack is suspended: only where the engine has `WebAssembly.Suspending`. */
      readonly kind: 'suspending';
      readonly request: (
        request: Uint8Array,
        body: Uint8Array | null,
      ) => Promise<GuestHttpResponse>;
    };
