/**
 * What is sent and what must come back, as plain data: it goes to the threads by structured clone.
 * What it turns into on the wire is request-source.ts.
 */

/** One kind of request and the only right answer to it, to the byte. */
export interface FixedTraffic {
  readonly kind: 'fixed';
  readonly body: string | Uint8Array;
  readonly answer: string | Uint8Array;
}

/** A body of so many bytes (at least 8) that begins with the request's number; the answer is the same bytes. */
export interface UniqueEchoTraffic {
  readonly kind: 'unique-echo';
  readonly bytes: number;
}

/** The request's number in 8 digits, as long as "John Doe"; the answer is `{"message":"🦀 Hello NUMBER"}`. */
export interface UniqueHelloTraffic {
  readonly kind: 'unique-hello';
}

/**
 * Text of so many bytes for count_vowels, in 16 variants with as many different counts; the answer must begin
 * `{"count":COUNT,"total":`. The total itself is state of the instance that answers, and any number will do.
 */
export interface VowelsTraffic {
  readonly kind: 'vowels';
  readonly bytes: number;
}

/** A request of a mix. */
export interface MixedPart {
  /** In place of the URL's path. */
  readonly path: string;
  readonly body: string | Uint8Array;
  readonly answer: string | Uint8Array;
}

/** A share of slow requests among quick ones, spread evenly. */
export interface MixedTraffic {
  readonly kind: 'mixed';
  /** 0 to 1; 0.01 is one request in a hundred. */
  readonly slowShare: number;
  readonly slow: MixedPart;
  readonly quick: MixedPart;
}

export type Traffic =
  | FixedTraffic
  | UniqueEchoTraffic
  | UniqueHelloTraffic
  | VowelsTraffic
  | MixedTraffic;
