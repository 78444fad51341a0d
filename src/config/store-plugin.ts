/**
 * Copies what one plugin is made of into the run directory, by hash, and names the copies in its
 * configuration: a wasm file, or the items of an Extism manifest that name a file or a URL. Each is
 * read once. The module of host functions is only hashed: it is imported from where it lies, and what
 * it imports with it. What else a manifest says is for plugin/ to check.
 */
import { createHash } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ServerError } from '../errors.ts';
import { RUN_FILE_MODE } from './run-file-mode.ts';
import type { PluginConfig } from './types.ts';

export interface StoredPlugin {
  readonly plugin: PluginConfig;
  /** Names in the run directory. */
  readonly files: readonly string[];
  /** Paths that were read. */
  readonly sources: readonly string[];
  /** SHA-256 of the module of host functions, which is not copied; null where there is none. */
  readonly hostFunctionsHash: string | null;
}

/**
 * Downloads what a manifest has URLs for: bytes for each item in order, null for the others. `where`
 * begins every message. Given by whoever may import plugin/.
 */
export type FetchItems = (
  where: string,
  manifest: Manifest,
  baseDir: string,
) => Promise<readonly (Uint8Array | null)[]>;

type Manifest = Readonly<Record<string, unknown>>;

const WASM_MAGIC = Buffer.from('\0asm');

/**
 * @throws ServerError `PLUGIN_NOT_FOUND`, `PLUGIN_COMPILE_FAILED` or `CONFIG_INVALID`;
 * `CONFIG_NOT_FOUND` for the module of host functions.
 */
export async function storePlugin(
  runDir: string,
  plugin: PluginConfig,
  fetchItems: FetchItems,
): Promise<StoredPlugin> {
  const { source } = plugin;
  const store = new PluginStore(runDir, plugin);
  await store.hashHostFunctions();
  if (source.kind === 'wasm') {
    const copy = await store.copyWasm(source.path);
    return store.result({ kind: 'wasm', path: copy });
  }
  const isFile = source.kind === 'manifest-file';
  const manifest = isFile ? await store.readManifest(source.path) : source.manifest;
  // Whatever else it names relative to itself, directories for instance, stays where it is.
  const baseDir = isFile ? path.dirname(source.path) : source.baseDir;
  const where = `plugins.${plugin.name}: ${isFile ? path.basename(source.path) : 'manifest'}`;
  const fetched = hasUrl(manifest) ? await fetchItems(where, manifest, baseDir) : [];
  return store.result({
    kind: 'manifest',
    manifest: await store.copyItems(manifest, baseDir, fetched),
    baseDir,
  });
}

class PluginStore {
  readonly #runDir: string;
  readonly #plugin: PluginConfig;
  readonly #files: string[] = [];
  readonly #sources: string[] = [];
  #hostFunctionsHash: string | null = null;

  constructor(runDir: string, plugin: PluginConfig) {
    this.#runDir = runDir;
    this.#plugin = plugin;
  }

  result(source: PluginConfig['source']): StoredPlugin {
    return {
      plugin: { ...this.#plugin, source },
      files: this.#files,
      sources: this.#sources,
      hostFunctionsHash: this.#hostFunctionsHash,
    };
  }

  async hashHostFunctions(): Promise<void> {
    const { hostFunctions } = this.#plugin;
    if (hostFunctions === null) return;
    this.#hostFunctionsHash = sha256(await this.#read(hostFunctions, 'CONFIG_NOT_FOUND'));
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
    return this.#copy(bytes);
  }

  async #copy(bytes: Uint8Array): Promise<string> {
    const name = `wasm-${sha256(bytes)}.wasm`;
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

  /** The manifest with copies in place of the files that its items name, and of what was fetched. */
  async copyItems(
    manifest: Manifest,
    baseDir: string,
    fetched: Awaited<ReturnType<FetchItems>>,
  ): Promise<Manifest> {
    if (!Array.isArray(manifest.wasm)) return manifest;
    const wasm: unknown[] = [];
    for (const [index, item] of (manifest.wasm as unknown[]).entries()) {
      const bytes = fetched[index];
      if (!isRecord(item)) wasm.push(item);
      else if (bytes) wasm.push(withoutUrl(item, await this.#copy(bytes)));
      else if (typeof item.path !== 'string') wasm.push(item);
      else wasm.push({ ...item, path: await this.copyWasm(path.resolve(baseDir, item.path)) });
    }
    return { ...manifest, wasm };
  }

  async #read(file: string, code: ServerError['code'] = 'PLUGIN_NOT_FOUND'): Promise<Buffer> {
    this.#sources.push(file);
    try {
      // A pipe would hold the primary up for ever.
      if ((await stat(file)).isFile()) return await readFile(file);
    } catch (cause) {
      const { code: why } = cause as NodeJS.ErrnoException;
      const reason = why === 'ENOENT' ? 'no such file' : `cannot be read (${why})`;
      throw this.#error(code, `${file}: ${reason}`, cause);
    }
    throw this.#error(code, `${file}: is not a regular file`);
  }

  #error(code: ServerError['code'], problem: string, cause?: unknown): ServerError {
    return new ServerError(code, `plugins.${this.#plugin.name}: ${problem}`, { cause });
  }
}

/** Writes a file of the run directory whole or not at all. @throws ServerError `INTERNAL` naming it. */
export async function storeFile(runDir: string, name: string, bytes: Uint8Array): Promise<void> {
  const file = path.join(runDir, name);
  const partial = `${file}.tmp`;
  try {
    await writeFile(partial, bytes, { mode: RUN_FILE_MODE });
    await rename(partial, file);
  } catch (cause) {
    // What there was room for on a disk that is full by now.
    await rm(partial, { force: true }).catch(() => {});
    const message = `${file} cannot be written: ${(cause as Error).message}`;
    throw new ServerError('INTERNAL', message, { cause });
  }
}

function hasUrl({ wasm }: Manifest): boolean {
  return Array.isArray(wasm) && wasm.some((item) => isRecord(item) && (item.url ?? null) !== null);
}

/** What goes with a URL alone goes with it: its headers may be secrets. */
function withoutUrl({ url, method, headers, ...item }: Manifest, copy: string): Manifest {
  return { ...item, path: copy };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
