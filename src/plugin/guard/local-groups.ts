/** The local declarations at the beginning of a function body; one object is used for every body. */
import type { CodeCursor } from './code-cursor.ts';
import { checkValueType, isValueType } from './read-types.ts';
import { malformed, refusal } from './refusal.ts';

/** V8's limit, parameters included. One is left for the guard's own. */
const MAX_LOCALS = 49_999;

export class LocalGroups {
  /** Where they begin, and how many there are. */
  start = 0;
  count = 0;
  /** Parameters and locals: the index of a local that is added. */
  locals = 0;

  /** Reads them; `where` names the function for messages. */
  read(at: CodeCursor, end: number, params: number, where: () => string): void {
    let total = params;
    this.count = at.u32();
    this.start = at.pos;
    for (let group = 0; group < this.count; group += 1) {
      if (at.pos >= end) throw malformed('unexpected end of locals', at.pos);
      total += at.u32();
      if (total > MAX_LOCALS) throw refusal(`${where()} has more than ${MAX_LOCALS} locals`);
      const type = at.peek();
      if (!isValueType(type)) checkValueType(type, where(), at.pos);
      at.pos += 1;
    }
    this.locals = total;
  }
}
