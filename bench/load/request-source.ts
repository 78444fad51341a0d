/** Turns traffic into bytes: for request number n what goes on the wire and which answer is right. */
import { BadOptions } from './bad-options.ts';
import { type Answer, NUMBER_DIGITS } from './body-check.ts';
import type { LoadOptions } from './load-options.ts';
import type { MixedPart, MixedTraffic, Traffic } from './traffic.ts';

/** One kind of request. What is text here stands for one byte a character (latin1): that is what sockets write fastest. */
export interface RequestShape {
  /** Up to the number, or all of it. */
  readonly before: string;
  /** Whether the request's number stands between the two. */
  readonly hasNumber: boolean;
  readonly after: string;
  /** The rest of a large body, written as it is; null for a small one. */
  readonly bulk: Buffer | null;
  readonly answer: Answer;
  /** Which part of mixed traffic. */
  readonly part: 'quick' | 'slow' | null;
}

/** The kind of request that number n is. */
export type RequestSource = (number: number) => RequestShape;

const CONTENT_TYPE = 'text/plain; charset=utf-8';
/** Where the URL of a GET wants the number. */
const ID_PLACE = /\{id\}|%7Bid%7D/i;
/** A larger body is not copied into the text of its request. */
const BULK_BYTES = 4096;
const VOWEL_VARIANTS = 16;
const EMPTY = Buffer.alloc(0);

/** Of one request's body; of a mix, of its quick ones. */
export function bodyBytes(traffic: Traffic): number {
  switch (traffic.kind) {
    case 'fixed':
      return Buffer.byteLength(traffic.body);
    case 'unique-hello':
      return NUMBER_DIGITS;
    case 'mixed':
      return Buffer.byteLength(traffic.quick.body);
    default:
      return traffic.bytes;
  }
}

/** @throws BadOptions for traffic that the method cannot carry. */
export function createRequestSource(options: LoadOptions): RequestSource {
  const { traffic, method } = options;
  const isGet = method === 'GET';
  switch (traffic.kind) {
    case 'fixed': {
      if (isGet && traffic.body.length > 0) throw new BadOptions('a GET has no body');
      const shape = fixedShape(options, { ...traffic, path: pathOf(options.url) }, null);
      return () => shape;
    }
    case 'unique-hello':
      return oneShape(options, NUMBER_DIGITS, {
        before: Buffer.from('{"message":"🦀 Hello '),
        between: 'number',
        after: Buffer.from('"}'),
      });
    case 'unique-echo': {
      const fill = isGet ? 0 : traffic.bytes - NUMBER_DIGITS;
      if (fill < 0) throw new BadOptions(`a unique body has at least ${NUMBER_DIGITS} bytes`);
      const after = Buffer.alloc(fill, 'the quick brown fox jumps over the lazy dog. ');
      return oneShape(options, traffic.bytes, { before: EMPTY, between: 'number', after });
    }
    case 'vowels':
      if (isGet) throw new BadOptions('a GET has no body');
      return vowelsSource(options, traffic.bytes);
    case 'mixed':
      if (isGet) throw new BadOptions('a GET has no body');
      return mixedSource(options, traffic);
  }
}

function oneShape(options: LoadOptions, bodyBytes: number, answer: Answer): RequestSource {
  const shape = options.method === 'GET' ? getShape(options, answer) : postShape();
  return () => shape;

  function postShape(): RequestShape {
    // What follows the number in an echoed answer is what followed it in the body.
    const rest = bodyBytes > NUMBER_DIGITS ? answer.after : EMPTY;
    const head = requestHead(options, pathOf(options.url), bodyBytes);
    return { before: head, hasNumber: true, ...splitBulk(rest), answer, part: null };
  }
}

function getShape(options: LoadOptions, answer: Answer): RequestShape {
  const path = pathOf(options.url);
  const query = path.includes('?') ? '&' : '?';
  const withPlace = ID_PLACE.test(path) ? path : `${path}${query}id={id}`;
  const [before = '', after = ''] = requestHead(options, withPlace, 0).split(ID_PLACE);
  return { before, hasNumber: true, after, bulk: null, answer, part: null };
}

function fixedShape(
  options: LoadOptions,
  { path, body, answer }: MixedPart,
  part: 'quick' | 'slow' | null,
): RequestShape {
  const bytes = Buffer.from(body as string);
  const { after, bulk } = splitBulk(bytes);
  const right: Answer = { before: EMPTY, between: 'nothing', after: Buffer.from(answer as string) };
  const before = requestHead(options, path, bytes.length) + after;
  return { before, hasNumber: false, after: '', bulk, answer: right, part };
}

function vowelsSource(options: LoadOptions, bytes: number): RequestSource {
  const shapes = Array.from({ length: VOWEL_VARIANTS }, (_, variant) => {
    // Every variant has another count, so that one user's count is never right for another.
    const count = Math.min(variant, bytes);
    const body = Buffer.alloc(bytes, 'bcdfg hjkl ').fill('a', 0, count);
    const before = Buffer.from(`{"count":${count},"total":`);
    const after = Buffer.from(',"vowels":"aeiouAEIOU"}');
    const head = requestHead(options, pathOf(options.url), bytes);
    const { after: text, bulk } = splitBulk(body);
    const answer: Answer = { before, between: 'any-number', after };
    return { before: head + text, hasNumber: false, after: '', bulk, answer, part: null };
  });
  return (number) => shapes[number % VOWEL_VARIANTS] as RequestShape;
}

function mixedSource(
  options: LoadOptions,
  { slowShare, slow, quick }: MixedTraffic,
): RequestSource {
  const slowShape = fixedShape(options, slow, 'slow');
  const quickShape = fixedShape(options, quick, 'quick');
  // Number n is slow when the whole part of n * share grows there: evenly spread, and the same in every run.
  return (number) =>
    Math.floor((number + 1) * slowShare) > Math.floor(number * slowShare) ? slowShape : quickShape;
}

function splitBulk(body: Buffer): { after: string; bulk: Buffer | null } {
  return body.length > BULK_BYTES
    ? { after: '', bulk: body }
    : { after: body.toString('latin1'), bulk: null };
}

function requestHead(options: LoadOptions, path: string, bodyBytes: number): string {
  const lines = [`${options.method} ${path} HTTP/1.1`, `host: ${new URL(options.url).host}`];
  if (options.method === 'POST') {
    lines.push(`content-type: ${CONTENT_TYPE}`, `content-length: ${bodyBytes}`);
  }
  if (!options.keepAlive) lines.push('connection: close');
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}
