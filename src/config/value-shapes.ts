/**
 * What single values must look like, for the schema of the file and for flags and variables alike.
 * Each pattern comes with the words that follow "must be".
 */

/** A pattern and what it stands for. */
export interface TextShape {
  readonly pattern: string;
  readonly expected: string;
}

export const MAX_PORT = 65_535;
export const MAX_WORKERS = 1_024;

/** What a listener binds. A zone as in `fe80::1%eth0` is allowed. */
export const HOST: TextShape = {
  pattern: '^[A-Za-z0-9_:][A-Za-z0-9_.:%-]{0,252}$',
  expected: 'a host name or an IP address (IPv6 without brackets)',
};

/** A key of `plugins`; it is a metrics label, so no character needs escaping. */
export const PLUGIN_NAME: TextShape = {
  pattern: '^[A-Za-z0-9_.-]{1,64}$',
  expected: 'a name of 1 to 64 letters, digits, "_", "." or "-"',
};

/** An exported function; a metrics label too. */
export const FUNCTION_NAME: TextShape = {
  pattern: '^[^\\u0000-\\u001f\\u007f]{1,256}$',
  expected: 'the name of an exported function',
};

/** What the router takes without an error: no expressions in brackets, `*` at the end only, no query. */
export const ROUTE_PATH: TextShape = {
  pattern: '^/[^\\s?#*()\\u0000-\\u001f\\u007f]*\\*?$',
  expected:
    'a path that begins with "/", without "?", "#", brackets or spaces, with "*" at its end only',
};

/** A header value that can neither split the reply nor be mistaken for something else. */
export const CONTENT_TYPE: TextShape = {
  pattern: '^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+( *;[ -~]*)?$',
  expected: 'a media type such as "application/json" or "text/plain; charset=utf-8"',
};

/** What an Authorization header can carry. */
export const TOKEN: TextShape = {
  pattern: '^[!-~]{1,1024}$',
  expected: 'a text of 1 to 1024 visible ASCII characters without spaces',
};

/** A file or directory name; a NUL would make every file operation throw. */
export const FILE_NAME: TextShape = {
  pattern: '^[^\\u0000]{1,4096}$',
  expected: 'a file name',
};

/** A whole number in decimal digits within a range, or nothing. */
export function parseInteger(text: string, minimum: number, maximum: number): number | undefined {
  if (!/^[0-9]{1,15}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= minimum && value <= maximum ? value : undefined;
}

/** The text itself if it has that shape, or nothing. */
export function parseText(text: string, shape: TextShape): string | undefined {
  return new RegExp(shape.pattern, 'u').test(text) ? text : undefined;
}
