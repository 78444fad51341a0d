/**
 * WASI's rights of descriptors. The engine itself goes by its own records of what is read-only;
 * rights are what guests are told of it, and what node:wasi enforces beneath.
 * Source: https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/docs.md#rights
 */

/** Numbers of the bits. */
const RIGHT = {
  fd_datasync: 0,
  fd_read: 1,
  fd_seek: 2,
  fd_fdstat_set_flags: 3,
  fd_sync: 4,
  fd_tell: 5,
  fd_write: 6,
  fd_advise: 7,
  fd_allocate: 8,
  path_create_directory: 9,
  path_create_file: 10,
  path_link_source: 11,
  path_link_target: 12,
  path_open: 13,
  fd_readdir: 14,
  path_readlink: 15,
  path_rename_source: 16,
  path_rename_target: 17,
  path_filestat_get: 18,
  path_filestat_set_size: 19,
  path_filestat_set_times: 20,
  fd_filestat_get: 21,
  fd_filestat_set_size: 22,
  fd_filestat_set_times: 23,
  path_symlink: 24,
  path_remove_directory: 25,
  path_unlink_file: 26,
  poll_fd_readwrite: 27,
} as const;

/** With one of these, node:wasi opens for writing. */
const OPENING_FOR_WRITE: readonly (keyof typeof RIGHT)[] = [
  'fd_datasync',
  'fd_write',
  'fd_allocate',
  'fd_filestat_set_size',
];
const WRITING: readonly (keyof typeof RIGHT)[] = [
  ...OPENING_FOR_WRITE,
  'path_create_directory',
  'path_create_file',
  'path_link_source',
  'path_link_target',
  'path_rename_source',
  'path_rename_target',
  'path_filestat_set_size',
  'path_filestat_set_times',
  'fd_filestat_set_times',
  'path_symlink',
  'path_remove_directory',
  'path_unlink_file',
];

/** All that there are for files and directories. */
export const ALL_RIGHTS: bigint = rightsOf(Object.keys(RIGHT) as (keyof typeof RIGHT)[]);
/** Those left where nothing may be written. */
export const READING_RIGHTS: bigint = ALL_RIGHTS & ~rightsOf(WRITING);
/** Those a directory can be opened with. */
export const DIRECTORY_RIGHTS: bigint = ALL_RIGHTS & ~rightsOf(OPENING_FOR_WRITE);
/** Who asks for this opens a file for writing. */
export const WRITE_RIGHT: bigint = rightsOf(['fd_write']);
export const INPUT_RIGHTS: bigint = rightsOf(['fd_read', 'fd_filestat_get', 'poll_fd_readwrite']);
export const OUTPUT_RIGHTS: bigint = rightsOf(['fd_write', 'fd_filestat_get', 'poll_fd_readwrite']);

function rightsOf(names: readonly (keyof typeof RIGHT)[]): bigint {
  return names.reduce((rights, name) => rights | (1n << BigInt(RIGHT[name])), 0n);
}
