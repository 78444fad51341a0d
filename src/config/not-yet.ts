/**
 * Keys that the schema knows and this version does not honour yet. They are refused by name, never
 * accepted and ignored. Whoever lands a part deletes its lines here; nothing else has to change.
 */
import { type ConfigPath, formatValue, type Problem } from './problem.ts';

/** One key that waits for its part. */
export interface NotYet {
  /** `*` stands for any name or index. */
  readonly key: string;
  /** The only value that is accepted; absent: the key must be left out. */
  readonly only?: unknown;
  /** Follows "not supported yet: ". */
  readonly reason: string;
}

export const NOT_YET: readonly NotYet[] = [];

/** Every key of a parsed file that waits for its part. */
export function notYetProblems(
  file: unknown,
  table: readonly NotYet[] = NOT_YET,
): readonly Problem[] {
  return table.flatMap((entry) =>
    find(file, entry.key.split('.'), [])
      .filter(({ value }) => entry.only === undefined || value !== entry.only)
      .map(({ path, value }) => ({ path, text: refusal(entry, value) })),
  );
}

interface Found {
  readonly path: ConfigPath;
  readonly value: unknown;
}

function find(value: unknown, parts: readonly string[], path: ConfigPath): readonly Found[] {
  const [part, ...rest] = parts;
  if (part === undefined) return [{ path, value }];
  if (typeof value !== 'object' || value === null) return [];
  const isArray = Array.isArray(value);
  return Object.entries(value)
    .filter(([key]) => part === '*' || key === part)
    .flatMap(([key, inner]) => find(inner, rest, [...path, isArray ? Number(key) : key]));
}

function refusal(entry: NotYet, value: unknown): string {
  const advice =
    entry.only === undefined ? 'leave it out' : `leave it out or say ${formatValue(entry.only)}`;
  return `not supported yet: ${entry.reason}; ${advice} (got ${formatValue(value)})`;
}
