/**
 * Requests that carry an id of their own, and the judgement of the replies. An id is digits alone, so
 * that it comes back as it was from a plugin that escapes, quotes or changes the case of its input.
 */
import { randomInt } from 'node:crypto';
import type { Reply } from './reply-reader.ts';

export type ProbeMethod = 'POST' | 'GET';

/**
 * `right`: its own id and no other. `wrong`: another's id, or an answer of 200 without its own.
 * `refused`: another status, and nobody's id but its own. `failed`: no answer.
 */
export type Verdict = 'right' | 'wrong' | 'refused' | 'failed';

export interface ProbeSet {
  id(number: number): string;
  /** The whole request on the wire. */
  request(number: number): string;
  judge(number: number, reply: Reply | null): Verdict;
  /** Whose ids are in it. */
  idsIn(text: string): number[];
}

/** Where the URL of a bodyless request wants the id; else it goes into the query. */
const ID_PLACE = /\{id\}|%7Bid%7D/gi;
const NUMBER_DIGITS = 8;

export function createProbeSet(url: URL, method: ProbeMethod): ProbeSet {
  // Of this run alone: another verify may be at the same server.
  const tag = `9${String(randomInt(10 ** 9)).padStart(9, '0')}`;
  const pattern = new RegExp(`${tag}(\\d{${NUMBER_DIGITS}})`, 'g');
  const idsIn = (text: string): number[] =>
    [...text.matchAll(pattern)].map(([, number]) => Number(number));
  const id = (number: number): string => tag + String(number).padStart(NUMBER_DIGITS, '0');
  return {
    id,
    idsIn,
    request: (number) => requestText(url, method, id(number)),
    judge: (number, reply) => {
      if (reply === null) return 'failed';
      const ids = idsIn(reply.body);
      if (ids.some((other) => other !== number)) return 'wrong';
      if (reply.status !== 200) return 'refused';
      return ids.length > 0 ? 'right' : 'wrong';
    },
  };
}

function requestText(url: URL, method: ProbeMethod, id: string): string {
  const given = url.pathname + url.search;
  const host = `host: ${url.host}\r\n`;
  if (method === 'GET') {
    const withId = given.replace(ID_PLACE, id);
    const path = withId === given ? `${given}${url.search === '' ? '?' : '&'}id=${id}` : withId;
    return `GET ${path} HTTP/1.1\r\n${host}\r\n`;
  }
  const type = 'content-type: text/plain; charset=utf-8\r\n';
  return `POST ${given} HTTP/1.1\r\n${host}${type}content-length: ${id.length}\r\n\r\n${id}`;
}
