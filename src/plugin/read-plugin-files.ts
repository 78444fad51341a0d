/**
 * Reads a plugin's wasm files: one file, or the items of an Extism manifest. Bytes are read once,
 * hashed, and compared with the manifest's hash before anyone compiles them.
 * Source of the manifest's shape: https://extism.org/docs/concepts/manifest/
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { PluginConfig } from '../config/types.ts';
import { ServerError } from '../errors.ts';

/** One wasm module of a plugin; the last one, or the one named `main`, is the plugin itself. */
export interface PluginFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** What a plugin is made of. */
export interface PluginFiles {
  readonly files: readonly PluginFile[];
  /** SHA-256 over the bytes of all files in order, lower-case hexadecimal. */
  readonly hash: string;
  /** `config` of the manifest. */
  readonly config: Readonly<Record<string, string>>;
}

interface ManifestItem {
  readonly path?: unknown;
  readonly data?: unknown;
  readonly name?: unknown;
  readonly hash?: unknown;
}

const WASM_MAGIC = Buffer.from('\0asm');
/** Manifest keys that limit or allow something; not honouring one silently would be worse than refusing it. */
const REFUSED_KEYS = ['timeout_ms', 'memory', 'allowed_hosts', 'allowed_paths'] as const;

/** @throws ServerError `PLUGIN_NOT_FOUND`, `PLUGIN_COMPILE_FAILED` (not wasm, wrong hash) or `CONFIG_INVALID` (manifest). */
export function readPluginFiles(plugin: PluginConfig): PluginFiles {
  const { source } = plugin;
  if (source.kind === 'wasm') {
    const bytes = readWasm(plugin.name, source.path);
    return { files: [{ name: 'main', bytes }], hash: sha256([bytes]), config: {} };
  }
  if (source.kind === 'manifest') return readManifest(plugin.name, source.manifest, source.baseDir);
  const text = readFile(plugin.name, source.path).toString('utf8');
  return readManifest(
    plugin.name,
    parseJson(plugin.name, source.path, text),
    path.dirname(source.path),
  );
}

function readManifest(plugin: string, manifest: unknown, baseDir: string): PluginFiles {
  const invalid = (problem: string): ServerError =>
    new ServerError('CONFIG_INVALID', `plugins.${plugin}: the manifest ${problem}`);
  if (!isRecord(manifest) || !Array.isArray(manifest.wasm) || manifest.wasm.length === 0) {
    throw invalid('must have a list "wasm" with at least one item');
  }
  for (const key of REFUSED_KEYS) {
    if (key in manifest) throw invalid(`has "${key}", which is not enforced yet`);
  }
  const items: unknown[] = manifest.wasm;
  const files = items.map((item, index) => {
    if (!isRecord(item)) throw invalid(`has no object at wasm[${index}]`);
    return readItem(plugin, item, index, items.length, baseDir);
  });
  if (!files.some((file) => file.name === 'main'))
    throw invalid('has several items and none is named "main"');
  const config = manifest.config ?? {};
  if (!isStringRecord(config)) throw invalid('must map names to texts in "config"');
  return { files, hash: sha256(files.map((file) => file.bytes)), config };
}

function readItem(
  plugin: string,
  item: ManifestItem,
  index: number,
  count: number,
  baseDir: string,
): PluginFile {
  let bytes: Buffer;
  if (typeof item.path === 'string') {
    bytes = readWasm(plugin, path.resolve(baseDir, item.path));
  } else if (typeof item.data === 'string') {
    bytes = checkWasm(plugin, `wasm[${index}].data`, Buffer.from(item.data, 'base64'));
  } else {
    throw new ServerError(
      'CONFIG_INVALID',
      `plugins.${plugin}: wasm[${index}] of the manifest must have "path" or "data"`,
    );
  }
  const hash = sha256([bytes]);
  if (item.hash !== undefined && item.hash !== hash) {
    throw new ServerError(
      'PLUGIN_COMPILE_FAILED',
      `plugins.${plugin}: wasm[${index}] has the hash ${hash}, the manifest says ${String(item.hash)}`,
    );
  }
  const name =
    typeof item.name === 'string' ? item.name : index === count - 1 ? 'main' : String(index);
  return { name, bytes };
}

function readWasm(plugin: string, file: string): Buffer {
  return checkWasm(plugin, file, readFile(plugin, file));
}

function checkWasm(plugin: string, origin: string, bytes: Buffer): Buffer {
  if (bytes.subarray(0, 4).equals(WASM_MAGIC)) return bytes;
  throw new ServerError(
    'PLUGIN_COMPILE_FAILED',
    `plugins.${plugin}: ${origin} is not a WebAssembly module (it does not begin with "\\0asm")`,
  );
}

function readFile(plugin: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`;
    throw new ServerError('PLUGIN_NOT_FOUND', `plugins.${plugin}: ${file}: ${reason}`, { cause });
  }
}

function parseJson(plugin: string, file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ServerError(
      'CONFIG_INVALID',
      `plugins.${plugin}: ${file} is not valid JSON: ${(cause as Error).message}`,
      { cause },
    );
  }
}

function sha256(parts: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStringRecord(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((text) => typeof text === 'string');
}
