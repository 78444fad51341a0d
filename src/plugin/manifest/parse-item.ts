/**
 * Parses one entry of a manifest's `wasm` list. A `url` must come with a hash, or with `"hash": null`
 * for who takes whatever the server sends: a manifest that Extism's runtimes read alike.
 */
import { resolve } from 'node:path';
import { isLoopback } from '../../config/loopback.ts';
import { formatValue, type Problem } from '../../config/problem.ts';
import { hostOf } from '../guest-http/host-patterns.ts';
import { parseMethod, parseRequestHeaders } from '../guest-http/request-headers.ts';
import type { ItemSource, ManifestItem } from './manifest.ts';
import { ObjectReader } from './object-reader.ts';

const SOURCES = ['path', 'data', 'url'] as const;
const KNOWN = [...SOURCES, 'headers', 'method', 'name', 'hash'];
/** Names that guests import the engine's own functions from. */
const RESERVED = /^(extism:host\/env|wasi_snapshot_preview1|plugind:.*)$/s;
const MAX_NAME_LENGTH = 256;

/** Nothing where a problem was noted. */
export function parseItem(
  value: unknown,
  index: number,
  baseDir: string,
  problems: Problem[],
): ManifestItem | null {
  const reader = ObjectReader.read(value, ['wasm', index], KNOWN, problems);
  if (reader === null) return null;
  const before = problems.length;
  const given = SOURCES.filter((key) => reader.get(key) !== undefined);
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    problems.push({
      path: reader.path,
      text: `must have exactly one of "path", "data" and "url" (got ${given.join(' and ') || 'none'})`,
    });
    return null;
  }
  if (kind !== 'url') {
    for (const key of ['headers', 'method']) {
      if (reader.get(key) !== undefined) reader.refuse(key, 'goes with "url" only');
    }
  }
  const name = parseName(reader);
  const hash = parseHash(reader, kind);
  const source = parseSource(reader, kind, baseDir);
  return problems.length > before || source === null ? null : { name, hash, source };
}

function parseName(reader: ObjectReader): string | null {
  const name = reader.text('name');
  if (name === null) return null;
  if (RESERVED.test(name)) reader.refuse('name', `must not be reserved (got ${formatValue(name)})`);
  if (name.length > MAX_NAME_LENGTH) {
    reader.refuse('name', `must be of at most ${MAX_NAME_LENGTH} characters (got ${name.length})`);
  }
  return name;
}

function parseHash(reader: ObjectReader, kind: ItemSource['kind']): string | null {
  const hash = reader.get('hash');
  if (hash === undefined) {
    if (kind === 'url' && !reader.has('hash')) {
      reader.refuse('hash', 'must be given with "url": the SHA-256, or null to take any bytes');
    }
    return null;
  }
  if (typeof hash === 'string' && /^[0-9a-fA-F]{64}$/.test(hash)) return hash.toLowerCase();
  reader.refuse(
    'hash',
    `must be a SHA-256 in 64 hexadecimal digits, without prefix (got ${formatValue(hash)})`,
  );
  return null;
}

function parseSource(
  reader: ObjectReader,
  kind: ItemSource['kind'],
  baseDir: string,
): ItemSource | null {
  if (kind === 'url') return parseUrl(reader);
  const text = reader.text(kind);
  if (text === null) return null;
  if (kind === 'path') return { kind, path: resolve(baseDir, text) };
  if (isBase64(text)) return { kind, base64: text };
  reader.refuse('data', 'must be base64 with padding, in one line');
  return null;
}

/** `Buffer.from` would leave out what it does not know. */
function isBase64(text: string): boolean {
  if (text.length % 4 !== 0) return false;
  const end = text.indexOf('=');
  const body = end === -1 ? text : text.slice(0, end);
  const padding = text.length - body.length;
  return padding <= 2 && /^=*$/.test(text.slice(body.length)) && !/[^A-Za-z0-9+/]/.test(body);
}

function parseUrl(reader: ObjectReader): ItemSource | null {
  const text = reader.text('url');
  if (text === null) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  const problem = url === null ? 'be absolute' : urlProblem(url);
  // The value is not shown: its query may be a secret.
  if (problem !== null) reader.refuse('url', `must ${problem}`);
  const method = attempt(reader, 'method', parseMethod);
  const headers = attempt(reader, 'headers', parseRequestHeaders);
  if (url === null || problem !== null || method === null || headers === null) return null;
  return { kind: 'url', url, method, headers };
}

/** Words after "must", for where nothing may be downloaded from. */
export function urlProblem(url: URL): string | null {
  if (url.username !== '' || url.password !== '') {
    return 'carry no user name or password: use "headers"';
  }
  if (url.protocol === 'https:') return null;
  if (url.protocol !== 'http:') return `be https, or "path" for a file (got ${url.protocol})`;
  return isLoopback(hostOf(url)) ? null : `be https beyond this machine (got ${url.origin})`;
}

function attempt<T>(reader: ObjectReader, key: string, parse: (value: unknown) => T): T | null {
  try {
    return parse(reader.get(key));
  } catch (error) {
    reader.refuse(key, `cannot be sent: ${(error as Error).message}`);
    return null;
  }
}
