/**
 * Mode of the files in the run directory that have to stay as long as its processes live. It is below
 * the temporary folder, where systemd-tmpfiles takes away what was not touched for ten days, unless it
 * has the sticky bit: https://specifications.freedesktop.org/basedir-spec/latest/
 */
export const RUN_FILE_MODE = 0o1600;
