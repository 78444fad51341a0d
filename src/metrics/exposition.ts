/**
 * Reads Prometheus' text format 0.0.4 into families, strictly and in one pass: a text with a line
 * that is not understood, or that was cut off, is refused whole. Samples stay the text they are.
 * Used for what siblings answer, before anything of it may stand beside other processes' samples.
 */
import { ServerError } from '../errors.ts';

/** Everything a text says of one metric. */
export interface Family {
  readonly name: string;
  /** As it stands in the text, escapes included; null when there is none. */
  readonly help: string | null;
  readonly type: string | null;
  /** Whole lines, each ended by a newline, in pieces to be joined. */
  readonly samples: readonly string[];
}

interface OpenFamily extends Family {
  help: string | null;
  type: string | null;
  samples: string[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="[^"\\\\\\n]*(?:\\\\[\\\\"n][^"\\\\\\n]*)*"';
const VALUE = '(?:[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE][+-]?\\d+)?|[+-]?Inf|NaN|Nan)';
const SAMPLE = new RegExp(
  `(${NAME})(?:\\{(?:${LABEL}(?:,${LABEL})*,?)?\\})?[ \\t]+${VALUE}(?:[ \\t]+-?\\d+)?[ \\t]*\\n`,
  'y',
);
const HEADER = new RegExp(`^# (HELP|TYPE) (${NAME})(?: (.*))?$`);
const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['_sum', '_count'],
};

/** @throws ServerError `INTERNAL` when the text is not valid. */
export function parseExposition(text: string): Family[] {
  const reader = new Reader(text);
  try {
    return reader.read();
  } catch (error) {
    // A line of megabytes can also exhaust the regular expression's stack.
    throw ServerError.from(error);
  }
}

class Reader {
  readonly #text: string;
  readonly #families = new Map<string, OpenFamily>();
  #position = 0;
  /** The family that the samples since `#start` belong to. */
  #current: OpenFamily | null = null;
  #start = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Family[] {
    const text = this.#text;
    while (this.#position < text.length) {
      if (text[this.#position] === '#') this.#readComment();
      else if (text[this.#position] === '\n') this.#skipTo(this.#position + 1);
      else this.#readSample();
    }
    this.#flush();
    return [...this.#families.values()];
  }

  #readComment(): void {
    const end = this.#text.indexOf('\n', this.#position);
    if (end === -1) this.#fail();
    const line = this.#text.slice(this.#position, end);
    const [, keyword, name, rest = ''] = HEADER.exec(line) ?? [];
    if (keyword === undefined || name === undefined) {
      // Any other comment is allowed and means nothing; a header that is not right is not a comment.
      if (/^#[ \t]*(HELP|TYPE)\b/.test(line)) this.#fail();
    } else if (keyword === 'HELP') {
      this.#family(name).help ??= rest;
    } else {
      const family = this.#family(name);
      if (!TYPES.has(rest) || (family.type ?? rest) !== rest) this.#fail();
      family.type = rest;
    }
    this.#skipTo(end + 1);
  }

  #readSample(): void {
    SAMPLE.lastIndex = this.#position;
    const name = SAMPLE.exec(this.#text)?.[1];
    if (name === undefined) this.#fail();
    if (this.#current === null || !owns(this.#current, name)) {
      this.#skipTo(this.#position);
      this.#current = this.#familyOfSample(name);
    }
    this.#position = SAMPLE.lastIndex;
  }

  #familyOfSample(name: string): OpenFamily {
    const base = name.replace(/_(?:bucket|sum|count)$/, '');
    const family = this.#families.get(base);
    return family !== undefined && owns(family, name) ? family : this.#family(name);
  }

  #family(name: string): OpenFamily {
    let family = this.#families.get(name);
    if (family === undefined) {
      family = { name, help: null, type: null, samples: [] };
      this.#families.set(name, family);
    }
    return family;
  }

  /** Ends the run of samples before the current position and goes on at `position`. */
  #skipTo(position: number): void {
    this.#flush();
    this.#current = null;
    this.#position = position;
    this.#start = position;
  }

  #flush(): void {
    const run = this.#text.slice(this.#start, this.#position);
    if (this.#current !== null && run !== '') this.#current.samples.push(run);
  }

  #fail(): never {
    const line = this.#text.slice(0, this.#position).split('\n').length;
    throw new ServerError('INTERNAL', `metrics text is not valid at line ${line}`, {
      details: { line, text: this.#text.slice(this.#position, this.#position + 100) },
    });
  }
}

function owns(family: Family, sampleName: string): boolean {
  if (sampleName === family.name) return true;
  if (!sampleName.startsWith(family.name)) return false;
  const suffix = sampleName.slice(family.name.length);
  return SUFFIXES[family.type ?? '']?.includes(suffix) ?? false;
}
