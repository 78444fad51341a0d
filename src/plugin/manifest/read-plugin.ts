/**
 * Reads a plugin: one wasm file, or an Extism manifest with all its items. What comes out is
 * checked as far as it can be without compiling, and bounded: hashes, sizes, names, limits.
 */
import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { parseJson } from '../../config/parse-json.ts';
import { formatPath, problemsError } from '../../config/problem.ts';
import type { PluginConfig, PluginSource } from '../../config/types.ts';
import { ServerError } from '../../errors.ts';
import { hostPatternProblem } from '../guest-http/host-patterns.ts';
import { itemNames } from './item-names.ts';
import type { Manifest, ManifestItem } from './manifest.ts';
import { parseCheckedManifest } from './parse-manifest.ts';
import type { PluginDefinition, PluginFile } from './plugin-definition.ts';
import { ReadBudget, type ReadBudgetOptions } from './read-budget.ts';
import { readFile } from './read-file.ts';
import { settleDefinition } from './settle-definition.ts';
import { READ_LIMITS, type ReadLimits } from './wasm-limits.ts';

/** Base64 has four digits for three bytes. */
const BASE64_GROWTH = 4 / 3;

/**
 * @param options bounds other than those of {@link READ_LIMITS}.
 * @throws ServerError `PLUGIN_NOT_FOUND` (a file or URL), `CONFIG_INVALID` (the manifest: every
 * problem at once), `PLUGIN_COMPILE_FAILED` (hash, size, not a core module).
 */
export async function readPlugin(
  plugin: PluginConfig,
  options: ReadBudgetOptions = {},
): Promise<PluginDefinition> {
  const limits = { ...READ_LIMITS, ...options };
  const { source } = plugin;
  const subject = `plugins.${plugin.name}`;
  checkHostPatterns(subject, plugin.allowedHosts ?? []);
  const manifest = source.kind === 'wasm' ? null : await readManifest(subject, source, limits);
  const items: readonly ManifestItem[] =
    source.kind === 'wasm'
      ? [{ name: null, hash: null, source: { kind: 'path', path: source.path } }]
      : (manifest?.items ?? []);
  const settled = settleDefinition(manifest, plugin);
  if (settled.allowedPaths.length > 0 && !plugin.wasi) {
    throw new ServerError(
      'CONFIG_INVALID',
      `${subject}: allowed paths need "wasi": true, without WASI a plugin has no files (got ${settled.allowedPaths.length} and false)`,
    );
  }
  const files = await readItems(subject, items, options);
  return { files, hash: hashOf(files), ...settled };
}

async function readManifest(
  subject: string,
  source: Exclude<PluginSource, { kind: 'wasm' }>,
  limits: ReadLimits,
): Promise<Manifest> {
  const isFile = source.kind === 'manifest-file';
  const where = `${subject}: ${isFile ? basename(source.path) : 'manifest'}`;
  const value = isFile ? await readManifestFile(where, source.path, limits) : source.manifest;
  return parseCheckedManifest(where, value, isFile ? dirname(source.path) : source.baseDir);
}

async function readManifestFile(
  where: string,
  path: string,
  { maxManifestBytes, maxWasmBytes }: ReadLimits,
): Promise<unknown> {
  const tooLong = (bytes: number): ServerError =>
    new ServerError(
      'CONFIG_INVALID',
      `${where}: ${bytes} bytes without its "data" are more than a manifest may have (${maxManifestBytes})`,
      { details: { limit: 'maxManifestBytes', maxBytes: maxManifestBytes, bytes } },
    );
  const maxBytes = maxManifestBytes + Math.ceil(maxWasmBytes * BASE64_GROWTH);
  const bytes = await readFile(`${where} (${path})`, path, maxBytes, tooLong);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ServerError('CONFIG_INVALID', `${where}: is not UTF-8 text`, { cause });
  }
  const parsed = parseJson(text);
  if (!parsed.ok) {
    throw problemsError(
      parsed.mistakes.map(({ line, column, path: at, text: mistake }) => {
        const key = at.length === 0 ? '' : `${formatPath(at)} `;
        return `${where}: line ${line}, column ${column}: ${key}${mistake}`;
      }),
    );
  }
  const length = bytes.length - dataLength(parsed.value);
  if (length > maxManifestBytes) throw tooLong(length);
  return parsed.value;
}

/** Characters of all `data` in a manifest not yet known to be one. */
function dataLength(value: unknown): number {
  const { wasm } = (value ?? {}) as { readonly wasm?: unknown };
  if (!Array.isArray(wasm)) return 0;
  const lengths = wasm.map((item: { readonly data?: unknown } | null) =>
    typeof item?.data === 'string' ? item.data.length : 0,
  );
  return lengths.reduce((sum, length) => sum + length, 0);
}

async function readItems(
  subject: string,
  items: readonly ManifestItem[],
  options: ReadBudgetOptions,
): Promise<readonly PluginFile[]> {
  const budget = new ReadBudget(options);
  const names = itemNames(items);
  const files: PluginFile[] = [];
  try {
    for (const [index, item] of items.entries()) {
      const name = names[index] as string;
      const where = items.length === 1 ? subject : `${subject}: wasm[${index}]`;
      if (files.some((file) => file.name === name)) {
        throw new ServerError('CONFIG_INVALID', `${where}: another item is named "${name}" too`);
      }
      const content = await budget.read(where, item);
      files.push({ name, ...content, isHashGiven: item.hash !== null });
    }
  } finally {
    budget.close();
  }
  return files;
}

function hashOf(files: readonly PluginFile[]): string {
  const hash = createHash('sha256');
  for (const { bytes } of files) hash.update(bytes);
  return hash.digest('hex');
}

/** Here and not in config/: what a pattern may be is this layer's to say. */
function checkHostPatterns(subject: string, patterns: readonly string[]): void {
  const problems = patterns.flatMap((pattern, index) => {
    const problem = hostPatternProblem(pattern);
    return problem === null
      ? []
      : [`${subject}.allowedHosts[${index}]: must ${problem} (got ${JSON.stringify(pattern)})`];
  });
  if (problems.length > 0) throw problemsError(problems);
}
