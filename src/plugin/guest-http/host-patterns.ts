/**
 * The allow-list of hosts, as Extism has it: patterns over the host name alone, in which `*` stands
 * for any characters (dots too), `?` for one, `[a-z]` and `[!a-z]` for one of a set. Which of them
 * name a host literally matters too: only those hosts may have private addresses.
 */
import { isIPv6 } from 'node:net';

type Token =
  | { readonly kind: 'star' }
  | { readonly kind: 'one'; readonly accepts: (character: string) => boolean };

/** What is wrong with a pattern, as words after "must"; null when nothing is. */
export function hostPatternProblem(pattern: string): string | null {
  const bare = withoutBrackets(pattern);
  if (isIPv6(bare)) return bare.includes('%') ? 'have no zone' : null;
  if (/[{}]/.test(pattern)) return 'not use "{a,b}": list each pattern';
  if (/[/@:\s]/.test(pattern)) return 'be a host name alone, without scheme, port or path';
  if (pattern === '') return 'not be empty';
  // Like every list of names here, in the letters of DNS: a URL's host is already in Punycode.
  if (!/^[\x21-\x7e]+$/.test(pattern)) return 'be written in ASCII (Punycode)';
  return tokenize(pattern.toLowerCase()) === null ? 'close its "["' : null;
}

export class HostPatterns {
  readonly #literal = new Set<string>();
  readonly #globs: (readonly Token[])[] = [];

  /** @param patterns each without a {@link hostPatternProblem}. */
  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) {
      const host = withoutBrackets(pattern).toLowerCase();
      if (isIPv6(host)) this.#literal.add(canonicalIPv6(host));
      else if (/[*?[]/.test(host)) this.#globs.push(tokenize(host) ?? []);
      else this.#literal.add(host);
    }
  }

  /** @param host as {@link hostOf} gives it. */
  matches(host: string): boolean {
    return this.names(host) || this.#globs.some((glob) => matchesGlob(glob, host));
  }

  /** Whether a pattern without wildcards is this host. */
  names(host: string): boolean {
    return this.#literal.has(host);
  }
}

/** The URL's host in lower case, an IPv6 address without its brackets. */
export function hostOf(url: URL): string {
  return withoutBrackets(url.hostname);
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') && isIPv6(host.slice(1, -1))
    ? host.slice(1, -1)
    : host;
}

/** As a URL's host has it: compressed, in lower case. A zone has no place in one. */
function canonicalIPv6(address: string): string {
  return URL.canParse(`http://[${address}]/`) ? hostOf(new URL(`http://[${address}]/`)) : address;
}

function tokenize(pattern: string): readonly Token[] | null {
  const tokens: Token[] = [];
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index] as string;
    if (character === '*') tokens.push({ kind: 'star' });
    else if (character === '?') tokens.push({ kind: 'one', accepts: () => true });
    else if (character === '[') {
      // A bracket right after the opening one (or its negation) is a member, as in a shell.
      const close = pattern.indexOf(']', index + (pattern[index + 1] === '!' ? 3 : 2));
      if (close === -1) return null;
      tokens.push({ kind: 'one', accepts: characterSet(pattern.slice(index + 1, close)) });
      index = close;
    } else tokens.push({ kind: 'one', accepts: (other) => other === character });
  }
  return tokens;
}

function characterSet(text: string): (character: string) => boolean {
  const isNegated = text.startsWith('!');
  const members = isNegated ? text.slice(1) : text;
  const ranges: (readonly [string, string])[] = [];
  for (let index = 0; index < members.length; index++) {
    const from = members[index] as string;
    const to = members[index + 1] === '-' ? members[index + 2] : undefined;
    ranges.push([from, to ?? from]);
    if (to !== undefined) index += 2;
  }
  return (character) =>
    ranges.some(([from, to]) => from <= character && character <= to) !== isNegated;
}

/** Goes back to the last star only, so the work is bounded by pattern times host. */
function matchesGlob(tokens: readonly Token[], host: string): boolean {
  let token = 0;
  let character = 0;
  let retryToken = -1;
  let retryCharacter = 0;
  while (character < host.length) {
    const wanted = tokens[token];
    if (wanted?.kind === 'star') {
      retryToken = token++;
      retryCharacter = character;
    } else if (wanted?.accepts(host[character] as string) === true) {
      token++;
      character++;
    } else if (retryToken === -1) return false;
    else {
      token = retryToken + 1;
      character = ++retryCharacter;
    }
  }
  return tokens.slice(token).every(({ kind }) => kind === 'star');
}
