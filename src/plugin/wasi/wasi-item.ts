export const WASI_ITEM = 'wasi_snapshot_preview1';
export function encodeWasiItem(_i: unknown): Uint8Array<ArrayBuffer> | null {
  return null;
}
