/**
 * Parses the text of a configuration file and says where a mistake is. JSON.parse does the parsing;
 * the scan before it knows the line and column (JSON.parse names them in prose, and not always),
 * finds keys that appear twice, which JSON.parse drops silently, and bounds the nesting.
 */
import type { ConfigPath } from './problem.ts';

/** A mistake in the text itself. */
export interface JsonMistake {
  readonly line: number;
  /** In characters, from 1. */
  readonly column: number;
  /** Where in the data, for a key that appears twice. */
  readonly path: ConfigPath;
  readonly text: string;
}

export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly mistakes: readonly JsonMistake[] };

interface Frame {
  readonly close: '}' | ']';
  /** The keys of an object so far. */
  readonly keys: Set<string>;
  /** Where the scan stands: the present key, or the present index of an array. */
  at: string | number;
}

type Expectation =
  | 'value'
  | 'first value'
  | 'key'
  | 'first key'
  | 'colon'
  | 'comma'
  | 'string'
  | 'end';

const MAX_DEPTH = 64;
const MAX_DUPLICATES = 20;

const EXPECTED: Readonly<Record<Expectation, string>> = {
  value: 'a value',
  'first value': 'a value or "]"',
  key: 'a key in double quotes',
  'first key': 'a key in double quotes or "}"',
  colon: '":"',
  comma: '"," or the closing bracket',
  string: 'the rest of a string',
  end: 'the end of the file',
};

/** Parses strict JSON. Never throws: the mistakes are the answer. */
export function parseJson(text: string): ParsedJson {
  const scan = new JsonScan(text);
  const mistakes = scan.run();
  if (mistakes.length > 0) return { ok: false, mistakes };
  return { ok: true, value: JSON.parse(text) };
}

class JsonScan {
  readonly #text: string;
  readonly #frames: Frame[] = [];
  readonly #mistakes: JsonMistake[] = [];
  #offset = 0;
  #expectation: Expectation = 'value';

  constructor(text: string) {
    this.#text = text;
  }

  run(): readonly JsonMistake[] {
    for (;;) {
      this.#take(/[ \t\n\r]*/y);
      if (this.#offset === this.#text.length && this.#expectation === 'end') break;
      if (!this.#step()) {
        this.#addMistake(this.#offset, [], this.#unexpected());
        break;
      }
      if (this.#frames.length > MAX_DEPTH) {
        this.#addMistake(this.#offset, [], `is nested deeper than ${MAX_DEPTH} levels`);
        break;
      }
    }
    return this.#mistakes;
  }

  /** Consumes one token; false when it is not what may stand here. */
  #step(): boolean {
    const frame = this.#frames.at(-1);
    const character = this.#text[this.#offset];
    switch (this.#expectation) {
      case 'end':
      case 'string':
        return false;
      case 'colon':
        return this.#take(/:/y) !== '' && this.#expect('value');
      case 'comma':
        if (character === frame?.close) return this.#leave();
        if (this.#take(/,/y) === '') return false;
        if (typeof frame?.at === 'number') frame.at++;
        return this.#expect(frame?.close === '}' ? 'key' : 'value');
      case 'first key':
        return character === '}' ? this.#leave() : this.#key();
      case 'key':
        return this.#key();
      case 'first value':
        return character === ']' ? this.#leave() : this.#value();
      case 'value':
        return this.#value();
    }
  }

  #expect(expectation: Expectation): true {
    this.#expectation = expectation;
    return true;
  }

  #key(): boolean {
    const start = this.#offset;
    const token = this.#string();
    const frame = this.#frames.at(-1);
    if (token === '' || frame === undefined) return false;
    const key = String(JSON.parse(token));
    frame.at = key;
    if (frame.keys.has(key) && this.#mistakes.length < MAX_DUPLICATES) {
      this.#addMistake(
        start,
        this.#frames.map((outer) => outer.at),
        'appears twice',
      );
    }
    frame.keys.add(key);
    return this.#expect('colon');
  }

  #value(): boolean {
    const open = this.#take(/[{[]/y);
    if (open !== '') {
      this.#frames.push({
        close: open === '{' ? '}' : ']',
        keys: new Set(),
        at: open === '{' ? '' : 0,
      });
      return this.#expect(open === '{' ? 'first key' : 'first value');
    }
    const scalar =
      this.#take(/true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y) || this.#string();
    return scalar !== '' && this.#afterValue();
  }

  #leave(): true {
    this.#offset++;
    this.#frames.pop();
    return this.#afterValue();
  }

  #afterValue(): true {
    return this.#expect(this.#frames.length === 0 ? 'end' : 'comma');
  }

  /** Consumes a string; one that is broken is left with the offset where it breaks. */
  #string(): string {
    const start = this.#offset;
    if (this.#take(/"/y) === '') return '';
    // From the space up, without quote and backslash. Piece by piece: one expression for the whole
    // would need a backtracking stack as long as the string.
    while (this.#take(/[ !#-[\]-\uffff]{1,1000}|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y) !== '');
    if (this.#take(/"/y) !== '') return this.#text.slice(start, this.#offset);
    this.#expectation = 'string';
    return '';
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#offset;
    const token = pattern.exec(this.#text)?.[0] ?? '';
    this.#offset += token.length;
    return token;
  }

  #unexpected(): string {
    const point = this.#text.codePointAt(this.#offset);
    if (point === undefined) return `ends where ${EXPECTED[this.#expectation]} is expected`;
    const found = JSON.stringify(String.fromCodePoint(point));
    const hint = point === 0x2f || point === 0x23 ? ' (JSON has no comments)' : '';
    return `expected ${EXPECTED[this.#expectation]}, found ${found}${hint}`;
  }

  #addMistake(offset: number, path: ConfigPath, text: string): void {
    const before = this.#text.slice(0, offset).split('\n');
    const column = [...(before.at(-1) ?? '')].length + 1;
    this.#mistakes.push({ line: before.length, column, path, text });
  }
}
