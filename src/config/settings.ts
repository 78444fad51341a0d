/**
 * The settings that can be given outside the file: the flag, the variable and the check of each.
 * cli/arguments.ts reads flags by this table, read-environment.ts variables; flag > environment > file.
 */
import {
  FILE_NAME,
  FUNCTION_NAME,
  HOST,
  MAX_PORT,
  MAX_WORKERS,
  parseInteger,
  parseText,
} from './value-shapes.ts';

/** What flags or the environment say; absent is not said. */
export interface Overrides {
  /** Configuration file, relative to the current directory. */
  readonly config?: string;
  readonly host?: string;
  readonly port?: number;
  readonly workers?: number | 'auto';
  readonly adminHost?: string;
  readonly adminPort?: number;
  /** Wasm file, relative to the current directory; comes with `function`. */
  readonly wasm?: string;
  readonly function?: string;
}

export type MutableOverrides = { -readonly [Key in keyof Overrides]: Overrides[Key] };

interface Setting<Value> {
  /** The flag without its dashes; null for what is given by position. */
  readonly flag: string | null;
  /** The first one that is set counts. */
  readonly variables: readonly [string, ...string[]];
  /** Follows "must be". */
  readonly expected: string;
  /** Nothing when the text is not valid. */
  readonly parse: (text: string) => Value | undefined;
}

type Settings = { readonly [Key in keyof Overrides]-?: Setting<NonNullable<Overrides[Key]>> };

const port = {
  expected: `an integer from 0 to ${MAX_PORT}`,
  parse: (text: string): number | undefined => parseInteger(text, 0, MAX_PORT),
};
const host = {
  expected: HOST.expected,
  parse: (text: string): string | undefined => parseText(text, HOST),
};
const file = {
  expected: FILE_NAME.expected,
  parse: (text: string): string | undefined => parseText(text, FILE_NAME),
};

export const SETTINGS: Settings = {
  config: { flag: 'config', variables: ['PLUGIND_CONFIG'], ...file },
  host: { flag: 'host', variables: ['PLUGIND_HOST'], ...host },
  port: { flag: 'port', variables: ['PLUGIND_PORT', 'PORT'], ...port },
  workers: {
    flag: 'workers',
    variables: ['PLUGIND_WORKERS'],
    expected: `"auto" or an integer from 1 to ${MAX_WORKERS}`,
    parse: (text) => (text === 'auto' ? text : parseInteger(text, 1, MAX_WORKERS)),
  },
  adminHost: { flag: 'admin-host', variables: ['PLUGIND_ADMIN_HOST'], ...host },
  adminPort: { flag: 'admin-port', variables: ['PLUGIND_ADMIN_PORT'], ...port },
  wasm: { flag: null, variables: ['PLUGIND_WASM'], ...file },
  function: {
    flag: null,
    variables: ['PLUGIND_FUNCTION'],
    expected: FUNCTION_NAME.expected,
    parse: (text) => parseText(text, FUNCTION_NAME),
  },
};

export const SETTING_NAMES: readonly (keyof Overrides)[] = Object.keys(
  SETTINGS,
) as (keyof Overrides)[];

/** Checks one text and puts its value into `target`; false when it is not valid. */
export function applySetting<Key extends keyof Overrides>(
  target: MutableOverrides,
  name: Key,
  text: string,
): boolean {
  const value = (SETTINGS[name] as Setting<NonNullable<Overrides[Key]>>).parse(text);
  if (value === undefined) return false;
  target[name] = value;
  return true;
}
