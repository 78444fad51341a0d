/** Holds the pieces of one answer against the only right one, as they come. */

/** A right answer: its bytes, and between them what is not the same each time. */
export interface Answer {
  readonly before: Buffer;
  /** The number of the request in 8 digits, any number, or nothing. */
  readonly between: 'number' | 'any-number' | 'nothing';
  readonly after: Buffer;
}

/** Digits of a request's number wherever it is sent. */
export const NUMBER_DIGITS = 8;
const NUMBERS = 10 ** NUMBER_DIGITS;

/** 7 -> "00000007". Beyond 10^8 they start again, which is longer than any two requests are apart. */
export function numberText(number: number): string {
  return String(NUMBERS + (number % NUMBERS)).slice(1);
}

/** Below this a loop is quicker than a call out of JavaScript. */
const SHORT_BYTES = 48;
const NO_ANSWER: Answer = { before: Buffer.alloc(0), between: 'nothing', after: Buffer.alloc(0) };

export class BodyCheck {
  #answer: Answer = NO_ANSWER;
  #number = 0;
  #part: 'before' | 'between' | 'after' = 'before';
  /** Bytes of the part seen. */
  #seen = 0;
  #isWrong = false;

  begin(answer: Answer, number: number): void {
    this.#answer = answer;
    this.#number = number;
    this.#part = 'before';
    this.#seen = 0;
    this.#isWrong = false;
  }

  take(bytes: Buffer, start: number, end: number): void {
    let at = start;
    if (this.#part === 'before') at = this.#takeSame(this.#answer.before, bytes, at, end);
    if (this.#part === 'between') at = this.#takeNumber(bytes, at, end);
    if (this.#part === 'after') at = this.#takeSame(this.#answer.after, bytes, at, end);
    if (at < end) this.#isWrong = true;
  }

  /** To be asked at the end of the body. */
  get isRight(): boolean {
    const { before, between, after } = this.#answer;
    if (this.#isWrong) return false;
    if (this.#part === 'after') return this.#seen === after.length;
    // An answer that is cut, or empty where it should be.
    return before.length === 0 && between === 'nothing' && after.length === 0;
  }

  #takeSame(wanted: Buffer, bytes: Buffer, at: number, end: number): number {
    const count = Math.min(wanted.length - this.#seen, end - at);
    if (!isSame(wanted, this.#seen, bytes, at, count)) this.#isWrong = true;
    this.#seen += count;
    if (this.#part === 'before' && this.#seen === wanted.length) {
      this.#part = this.#answer.between === 'nothing' ? 'after' : 'between';
      this.#seen = 0;
    }
    return at + count;
  }

  #takeNumber(bytes: Buffer, start: number, end: number): number {
    const isAny = this.#answer.between === 'any-number';
    let at = start;
    while (at < end && (isAny || this.#seen < NUMBER_DIGITS)) {
      const byte = bytes[at] as number;
      const isDigit = byte >= 48 && byte <= 57;
      if (isAny && !isDigit) break;
      if (!isAny && byte !== digitOf(this.#number, this.#seen)) this.#isWrong = true;
      this.#seen++;
      at++;
    }
    const isOver = isAny ? at < end : this.#seen === NUMBER_DIGITS;
    if (isOver) {
      if (this.#seen === 0) this.#isWrong = true;
      this.#part = 'after';
      this.#seen = 0;
    }
    return at;
  }
}

/** The digit at a place of the 8, as a byte. */
function digitOf(number: number, place: number): number {
  return 48 + (Math.floor(number / 10 ** (NUMBER_DIGITS - 1 - place)) % 10);
}

function isSame(a: Buffer, aAt: number, b: Buffer, bAt: number, count: number): boolean {
  if (count > SHORT_BYTES) return a.compare(b, bAt, bAt + count, aAt, aAt + count) === 0;
  for (let index = 0; index < count; index++) if (a[aAt + index] !== b[bAt + index]) return false;
  return true;
}
