/**
 * Takes known keys out of an object of unknown shape and notes every problem with its path, so that
 * all of them are reported at once. A key may have two spellings (Extism's manifests are written in
 * snake case, the JavaScript SDK takes camel case too), but not both.
 */
import { didYouMean } from '../../config/did-you-mean.ts';
import { type ConfigPath, formatValue, type Problem } from '../../config/problem.ts';

export class ObjectReader {
  readonly path: ConfigPath;
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #problems: Problem[];

  private constructor(
    value: Readonly<Record<string, unknown>>,
    path: ConfigPath,
    problems: Problem[],
  ) {
    this.#value = value;
    this.path = path;
    this.#problems = problems;
  }

  /** Nothing, and a problem, where the value is no object. Keys that are not known are problems. */
  static read(
    value: unknown,
    path: ConfigPath,
    known: readonly string[],
    problems: Problem[],
  ): ObjectReader | null {
    if (!isObject(value)) {
      problems.push({ path, text: `must be an object (got ${formatValue(value)})` });
      return null;
    }
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue;
      problems.push({ path: [...path, key], text: `is not a known key${didYouMean(key, known)}` });
    }
    return new ObjectReader(value, path, problems);
  }

  /** Whether the key is written down, be it with null. */
  has(key: string): boolean {
    return Object.hasOwn(this.#value, key);
  }

  /** The value of a key under one of its spellings; undefined for null too. */
  get(key: string, otherSpelling: string = key): unknown {
    if (key !== otherSpelling && this.has(key) && this.has(otherSpelling)) {
      this.refuse(otherSpelling, `says again what "${key}" says: leave one out`);
    }
    return (this.has(key) ? this.#value[key] : this.#ownValue(otherSpelling)) ?? undefined;
  }

  /** Notes a problem with one key. */
  refuse(key: string, text: string, ...within: readonly (string | number)[]): void {
    this.#problems.push({ path: [...this.path, key, ...within], text });
  }

  /** A text of at least one character without NUL. */
  text(key: string): string | null {
    const value = this.get(key);
    if (value === undefined) return null;
    if (typeof value === 'string' && /^[^\0]+$/.test(value)) return value;
    this.refuse(key, `must be a text that is not empty (got ${formatValue(value)})`);
    return null;
  }

  /** A whole number, 0 or more. */
  count(key: string, otherSpelling: string): number | null {
    const value = this.get(key, otherSpelling);
    if (value === undefined) return null;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    this.refuse(key, `must be a whole number, 0 or more (got ${formatValue(value)})`);
    return null;
  }

  list(key: string, otherSpelling: string = key): readonly unknown[] | null {
    const value = this.get(key, otherSpelling);
    if (value === undefined) return null;
    if (Array.isArray(value)) return value;
    this.refuse(key, `must be a list (got ${formatValue(value)})`);
    return null;
  }

  /** An object whose values are texts; others are problems, and are not shown: they may be secrets. */
  texts(key: string, otherSpelling: string = key): Readonly<Record<string, string>> | null {
    const value = this.get(key, otherSpelling);
    if (value === undefined) return null;
    if (!isObject(value)) {
      this.refuse(key, `must be an object (got ${formatValue(value)})`);
      return null;
    }
    const entries = Object.entries(value);
    for (const [name, text] of entries) {
      if (typeof text !== 'string') this.refuse(key, 'must be a text', name);
    }
    return Object.fromEntries(
      entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    );
  }

  #ownValue(key: string): unknown {
    return this.has(key) ? this.#value[key] : undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
