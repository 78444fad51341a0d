/**
 * The error numbers of WASI preview 1 that this folder gives to guests.
 * Source: https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/docs.md#errno
 */
export const ERRNO = {
  success: 0,
  acces: 2,
  badf: 8,
  busy: 10,
  canceled: 11,
  fault: 21,
  ilseq: 25,
  inval: 28,
  io: 29,
  isdir: 31,
  loop: 32,
  mfile: 33,
  nametoolong: 37,
  noent: 44,
  nosys: 52,
  notdir: 54,
  notsock: 57,
  notsup: 58,
  rofs: 69,
  spipe: 70,
  notcapable: 76,
} as const;

/** 0 is success. */
export type Errno = number;
