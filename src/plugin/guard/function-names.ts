/**
 * Names of functions for messages: from the name section, else from an export, else the index
 * alone. Read when the first refusal needs one. A name section is not validated by anyone, so
 * whatever is wrong with it only costs the names.
 */
import { ByteReader } from './byte-reader.ts';
import { type ModuleFacts, SECTION } from './module-facts.ts';

const FUNCTION_NAMES = 1;
const MAX_SHOWN_LENGTH = 120;

export class FunctionNames {
  readonly #facts: ModuleFacts;

  constructor(facts: ModuleFacts) {
    this.#facts = facts;
  }

  /** `function 12 (add_one)` */
  describe(index: number): string {
    const name = this.#fromSection(index) ?? this.#fromExports(index);
    return name === undefined ? `function ${index}` : `function ${index} (${shown(name)})`;
  }

  #fromExports(index: number): string | undefined {
    return this.#facts.exports.find((item) => item.kind === 'function' && item.index === index)
      ?.name;
  }

  #fromSection(index: number): string | undefined {
    for (const { id, start, end } of this.#facts.sections) {
      if (id !== SECTION.custom) continue;
      try {
        const reader = new ByteReader(this.#facts.bytes, start, end);
        const name = reader.name() === 'name' ? findName(reader, index) : undefined;
        if (name !== undefined) return name;
      } catch {
        // A broken name section: the index will do.
      }
    }
    return undefined;
  }
}

function findName(reader: ByteReader, index: number): string | undefined {
  while (!reader.atEnd) {
    const id = reader.u8();
    const size = reader.count('bytes of names');
    if (id !== FUNCTION_NAMES) {
      reader.skip(size);
      continue;
    }
    for (let left = reader.count('names', 2); left > 0; left -= 1) {
      const found = reader.u32();
      const name = reader.nameBytes();
      if (found === index) return new TextDecoder().decode(name);
    }
  }
  return undefined;
}

/** A guest chooses its names: no control characters, and no more than a line of them. */
function shown(name: string): string {
  const clean = name.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?');
  return clean.length > MAX_SHOWN_LENGTH ? `${clean.slice(0, MAX_SHOWN_LENGTH)}...` : clean;
}
