/**
 * Every function of WASI preview 1 with its type: what a guest may import, and as what. All but
 * `proc_exit` return an error number.
 * Source: https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/docs.md
 */
import type { ShimValueType } from '../kernel/shim.ts';

export interface WasiType {
  readonly params: readonly ShimValueType[];
  readonly results: readonly ShimValueType[];
}

/** i: i32, I: i64. */
const PARAMS = {
  args_get: 'ii',
  args_sizes_get: 'ii',
  clock_res_get: 'ii',
  clock_time_get: 'iIi',
  environ_get: 'ii',
  environ_sizes_get: 'ii',
  fd_advise: 'iIIi',
  fd_allocate: 'iII',
  fd_close: 'i',
  fd_datasync: 'i',
  fd_fdstat_get: 'ii',
  fd_fdstat_set_flags: 'ii',
  fd_fdstat_set_rights: 'iII',
  fd_filestat_get: 'ii',
  fd_filestat_set_size: 'iI',
  fd_filestat_set_times: 'iIIi',
  fd_pread: 'iiiIi',
  fd_prestat_dir_name: 'iii',
  fd_prestat_get: 'ii',
  fd_pwrite: 'iiiIi',
  fd_read: 'iiii',
  fd_readdir: 'iiiIi',
  fd_renumber: 'ii',
  fd_seek: 'iIii',
  fd_sync: 'i',
  fd_tell: 'ii',
  fd_write: 'iiii',
  path_create_directory: 'iii',
  path_filestat_get: 'iiiii',
  path_filestat_set_times: 'iiiiIIi',
  path_link: 'iiiiiii',
  path_open: 'iiiiiIIii',
  path_readlink: 'iiiiii',
  path_remove_directory: 'iii',
  path_rename: 'iiiiii',
  path_symlink: 'iiiii',
  path_unlink_file: 'iii',
  poll_oneoff: 'iiii',
  proc_exit: 'i',
  proc_raise: 'i',
  random_get: 'ii',
  sched_yield: '',
  sock_accept: 'iii',
  sock_recv: 'iiiiii',
  sock_send: 'iiiii',
  sock_shutdown: 'ii',
} as const;

export type WasiName = keyof typeof PARAMS;

export const WASI_TYPES: ReadonlyMap<string, WasiType> = new Map(
  Object.entries(PARAMS).map(([name, params]) => [
    name,
    {
      params: [...params].map((letter) => (letter === 'i' ? 'i32' : 'i64')),
      results: name === 'proc_exit' ? [] : ['i32'],
    },
  ]),
);
