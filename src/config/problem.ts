/**
 * One mistake in a configuration, and how a list of them becomes the error that the operator reads.
 * Whatever checks a configuration returns problems, so that all of them are reported at once.
 */
import { ServerError } from '../errors.ts';

/** Keys and indexes from the top of the file. */
export type ConfigPath = readonly (string | number)[];

export interface Problem {
  readonly path: ConfigPath;
  /** What is wrong, without the path: `must be … (got …)`. */
  readonly text: string;
  /** The other values that a rule compared; the rule is not applied where one of them is itself wrong. */
  readonly involves?: readonly ConfigPath[];
}

/** More lines than this help nobody; the rest is counted. */
const MAX_LINES = 100;
const MAX_VALUE_CHARS = 60;

/** `plugins.hello.queue.max`, `routes[0].path`, `plugins["a.b"].wasm`. */
export function formatPath(path: ConfigPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!/^[A-Za-z0-9_$-]+$/.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** A value as JSON on one short line; of lists and objects only the kind, for they may hold secrets. */
export function formatValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= MAX_VALUE_CHARS ? text : `${text.slice(0, MAX_VALUE_CHARS - 1)}…`;
}

/** One line: `plugins.hello.queue.max: must be … (got …)`. */
export function formatProblem(problem: Problem): string {
  const path = formatPath(problem.path);
  return path === '' ? problem.text : `${path}: ${problem.text}`;
}

/** Whether one path is the other one or lies inside it. */
export function overlaps(one: ConfigPath, other: ConfigPath): boolean {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index++) if (one[index] !== other[index]) return false;
  return true;
}

/** Leaves out what is said about values that are already known to be wrong. */
export function withoutOverlap(
  problems: readonly Problem[],
  known: readonly Problem[],
): readonly Problem[] {
  return problems.filter((problem) =>
    [problem.path, ...(problem.involves ?? [])].every(
      (path) => !known.some((other) => overlaps(path, other.path)),
    ),
  );
}

/** The error that carries all lines; each names its file, so that each can be read alone. */
export function problemsError(lines: readonly string[]): ServerError {
  const shown = lines.slice(0, MAX_LINES);
  if (lines.length > MAX_LINES) shown.push(`… and ${lines.length - MAX_LINES} more problems`);
  return new ServerError('CONFIG_INVALID', shown.join('\n'), { details: { problems: lines } });
}
