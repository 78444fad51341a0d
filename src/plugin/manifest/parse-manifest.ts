/**
 * Parses an Extism manifest: every key of Extism's schema, in snake case or as the JavaScript SDK
 * spells it, and no other. Problems come all at once.
 */
import { resolve } from 'node:path';
import { formatProblem, formatValue, type Problem, problemsError } from '../../config/problem.ts';
import { hostPatternProblem } from '../guest-http/host-patterns.ts';
import type { Manifest, ManifestItem } from './manifest.ts';
import { ObjectReader } from './object-reader.ts';
import { parseItem } from './parse-item.ts';
import type { AllowedPath } from './plugin-definition.ts';

const KEYS = {
  timeout: ['timeout_ms', 'timeoutMs'],
  hosts: ['allowed_hosts', 'allowedHosts'],
  paths: ['allowed_paths', 'allowedPaths'],
} as const;
const MEMORY_KEYS = {
  maxPages: ['max_pages', 'maxPages'],
  maxVarBytes: ['max_var_bytes', 'maxVarBytes'],
  maxHttpResponseBytes: ['max_http_response_bytes', 'maxHttpResponseBytes'],
} as const;
/** `$schema` is for editors. */
const KNOWN = ['$schema', 'wasm', 'config', 'memory', ...Object.values(KEYS).flat()];
const MAX_ITEMS = 100;
/** Before a host directory: for reading only. */
const READ_ONLY = 'ro:';

/**
 * @param where begins every line.
 * @throws ServerError `CONFIG_INVALID`, a line for each problem.
 */
export function parseCheckedManifest(where: string, value: unknown, baseDir: string): Manifest {
  const problems: Problem[] = [];
  const manifest = parseManifest(value, baseDir, problems);
  if (problems.length === 0) return manifest;
  throw problemsError(problems.map((problem) => `${where}: ${formatProblem(problem)}`));
}

/** The manifest as far as it could be read; it is good only where no problem was noted. */
export function parseManifest(value: unknown, baseDir: string, problems: Problem[]): Manifest {
  const reader = ObjectReader.read(value, [], KNOWN, problems);
  return {
    items: reader === null ? [] : parseItems(reader, baseDir, problems),
    config: reader?.texts('config') ?? {},
    allowedHosts: reader === null ? null : parseHosts(reader),
    allowedPaths: reader === null ? null : parsePaths(reader, baseDir),
    // 0 sets no limit, as in Extism's SDKs for Go and JavaScript; ours holds then.
    timeoutMs: reader?.count(...KEYS.timeout) || null,
    memory: parseMemory(reader?.get('memory'), problems),
  };
}

function parseItems(
  reader: ObjectReader,
  baseDir: string,
  problems: Problem[],
): readonly ManifestItem[] {
  const list = reader.list('wasm') ?? [];
  if (list.length === 0 || list.length > MAX_ITEMS) {
    reader.refuse('wasm', `must be a list of 1 to ${MAX_ITEMS} items (got ${list.length})`);
    return [];
  }
  const items: ManifestItem[] = [];
  const indexes = new Map<string, number>();
  for (const [index, value] of list.entries()) {
    const item = parseItem(value, index, baseDir, problems);
    if (item === null) continue;
    const twin = item.name === null ? undefined : indexes.get(item.name);
    if (twin !== undefined) {
      const text = `must not be that of wasm[${twin}] (got ${formatValue(item.name)})`;
      problems.push({ path: ['wasm', index, 'name'], text });
    }
    if (item.name !== null) indexes.set(item.name, index);
    items.push(item);
  }
  return items;
}

function parseHosts(reader: ObjectReader): readonly string[] | null {
  const list = reader.list(...KEYS.hosts);
  return (
    list?.filter((pattern, index): pattern is string => {
      const problem =
        typeof pattern === 'string' ? hostPatternProblem(pattern) : 'be a pattern of host names';
      if (problem === null) return true;
      reader.refuse(KEYS.hosts[0], `must ${problem} (got ${formatValue(pattern)})`, index);
      return false;
    }) ?? null
  );
}

function parsePaths(reader: ObjectReader, baseDir: string): readonly AllowedPath[] | null {
  const table = reader.texts(...KEYS.paths);
  if (table === null) return null;
  const byGuestPath = new Map<string, string>();
  const byHostPath = new Map<string, string>();
  return Object.entries(table).map(([key, guestPath]) => {
    const path = parseAllowedPath(key, guestPath, baseDir);
    const refuse = (text: string): void => reader.refuse(KEYS.paths[0], text, key);
    if (path.hostPath.includes('\0') || key === READ_ONLY || key === '') {
      refuse('must be a directory');
    }
    if (guestPath === '' || guestPath.includes('\0')) refuse('must name a path in the guest');
    const twin = byGuestPath.get(guestPath) ?? byHostPath.get(path.hostPath);
    if (twin !== undefined) {
      refuse(`must not name the same directory or guest path as ${formatValue(twin)}`);
    }
    byGuestPath.set(guestPath, key);
    byHostPath.set(path.hostPath, key);
    return path;
  });
}

/** @param key a host directory, with `ro:` before it for reading only. */
export function parseAllowedPath(key: string, guestPath: string, baseDir: string): AllowedPath {
  const readOnly = key.startsWith(READ_ONLY);
  const hostPath = resolve(baseDir, readOnly ? key.slice(READ_ONLY.length) : key);
  return { hostPath, guestPath, readOnly };
}

function parseMemory(value: unknown, problems: Problem[]): Manifest['memory'] {
  const known = Object.values(MEMORY_KEYS).flat();
  const reader = ObjectReader.read(value ?? {}, ['memory'], known, problems);
  return {
    // A plugin without any memory is none: 0 sets no limit, as in the SDKs.
    maxPages: reader?.count(...MEMORY_KEYS.maxPages) || null,
    // Here 0 means none at all, as Extism documents it.
    maxVarBytes: reader?.count(...MEMORY_KEYS.maxVarBytes) ?? null,
    maxHttpResponseBytes: reader?.count(...MEMORY_KEYS.maxHttpResponseBytes) ?? null,
  };
}
