/**
 * Copies what one plugin is made of into the run directory, by hash, and names the copies in its
 * configuration: a wasm file, or the items of an Extism manifest that name a file. Each file is
 * read once. Items with a URL stay as they are; what else a manifest says is for plugin/ to check.
 */
import { createHash } from 'node:crypto';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ServerError } from '../errors.ts';
import type { PluginConfig } from './types.ts';

export interface StoredPlugin {
  readonly plugin: PluginConfig;
  /** Names in the run directory. */
  readonly files: readonly string[];
  /** Paths that were read, and the module of host functions, which is not copied. */
  readonly sources: readonly string[];
}

type Manifest = Readonly<Record<string, unknown>>;

const WASM_MAGIC = Buffer.from('\0asm');

/** @throws ServerError `PLUGIN_NOT_FOUND`, `PLUGIN_COMPILE_FAILED` or `CONFIG_INVALID`. */
export async function storePlugin(runDir: string, plugin: PluginConfig): Promise<StoredPlugin> {
  const { source } = plugin;
  const store = new PluginStore(runDir, plugin);
  if (source.kind === 'wasm') {
    const copy = await store.copyWasm(source.path);
    return store.result({ kind: 'wasm', path: copy });
  }
  const isFile = source.kind === 'manifest-file';
  const manifest = isFile ? await store.readManifest(source.path) : source.manifest;
  // Whatever else it names relative to itself, directories for instance, stays where it is.
  const baseDir = isFile ? path.dirname(source.path) : source.baseDir;
  return store.result({
    kind: 'manifest',
    manifest: await store.copyItems(manifest, baseDir),
    baseDir,
  });
}

class PluginStore {
  readonly #runDir: string;
  readonly #plugin: PluginConfig;
  readonly #files: string[] = [];
  readonly #sources: string[] = [];

  constructor(runDir: string, plugin: PluginConfig) {
    this.#runDir = runDir;
    this.#plugin = plugin;
    if (plugin.hostFunctions !== null) this.#sources.push(plugin.hostFunctions);
  }

  result(source: PluginConfig['source']): StoredPlugin {
    return {
      plugin: { ...this.#plugin, source },
      files: this.#files,
      sources: this.#sources,
    };
  }

  /** Returns the path of the copy. */
  async copyWasm(file: string): Promise<string> {
    const bytes = await this.#read(file);
    // Said here, where the file's own name is still known.
    if (!bytes.subarray(0, WASM_MAGIC.length).equals(WASM_MAGIC)) {
      throw this.#error(
        'PLUGIN_COMPILE_FAILED',
        `${file} is not a WebAssembly module (it does not begin with "\\0asm")`,
      );
    }
    const name = `wasm-${createHash('sha256').update(bytes).digest('hex')}.wasm`;
    await storeFile(this.#runDir, name, bytes);
    this.#files.push(name);
    return path.join(this.#runDir, name);
  }

  async readManifest(file: string): Promise<Manifest> {
    const text = (await this.#read(file)).toString('utf8');
    try {
      const manifest: unknown = JSON.parse(text);
      if (isRecord(manifest)) return manifest;
    } catch (cause) {
      const message = `${file} is not valid JSON: ${(cause as Error).message}`;
      throw this.#error('CONFIG_INVALID', message, cause);
    }
    throw this.#error('CONFIG_INVALID', `${file} is not an object`);
  }

  /** The manifest with copies in place of the files that its items name. */
  async copyItems(manifest: Manifest, baseDir: string): Promise<Manifest> {
    if (!Array.isArray(manifest.wasm)) return manifest;
    const wasm: unknown[] = [];
    for (const item of manifest.wasm as unknown[]) {
      const isNamed = isRecord(item) && typeof item.path === 'string';
      const file = isNamed ? path.resolve(baseDir, item.path as string) : null;
      wasm.push(file === null ? item : { ...(item as Manifest), path: await this.copyWasm(file) });
    }
    return { ...manifest, wasm };
  }

  async #read(file: string): Promise<Buffer> {
    this.#sources.push(file);
    try {
      // A pipe would hold the primary up for ever.
      if ((await stat(file)).isFile()) return await readFile(file);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const reason = code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`;
      throw this.#error('PLUGIN_NOT_FOUND', `${file}: ${reason}`, cause);
    }
    throw this.#error('PLUGIN_NOT_FOUND', `${file}: is not a regular file`);
  }

  #error(code: ServerError['code'], problem: string, cause?: unknown): ServerError {
    return new ServerError(code, `plugins.${this.#plugin.name}: ${problem}`, { cause });
  }
}

/** Writes a file of the run directory whole or not at all. */
export async function storeFile(runDir: string, name: string, bytes: Buffer): Promise<void> {
  const file = path.join(runDir, name);
  await writeFile(`${file}.tmp`, bytes, { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
