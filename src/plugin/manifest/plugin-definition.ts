/**
 * What a plugin is before anything is compiled: its wasm files, and what it may have, settled
 * between its manifest and its entry in the configuration. Each field says who settled it.
 */

/** One wasm module of a plugin, its bytes checked against its hash. */
export interface PluginFile {
  /** Import namespace for the plugin's other modules; the plugin itself is `main`. */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the bytes, lower-case hexadecimal. */
  readonly hash: string;
  /** Whether the manifest named that hash. */
  readonly isHashGiven: boolean;
  /** A path, a URL without its query, or `data` for what stands in the manifest. */
  readonly origin: string;
}

/** A host directory that a WASI guest sees. */
export interface AllowedPath {
  /** Absolute. Not looked at yet: whoever opens it checks that it is a directory. */
  readonly hostPath: string;
  readonly guestPath: string;
  readonly readOnly: boolean;
}

export interface MemoryLimits {
  readonly maxPages: number;
  readonly maxVarBytes: number;
  readonly maxHttpResponseBytes: number;
  readonly maxOutputBytes: number;
}

/** `default` stands for every value that equals plugind's default, also if it was written down. */
export type FieldOrigin = 'manifest' | 'configuration' | 'manifest and configuration' | 'default';

export interface FieldSource {
  readonly by: FieldOrigin;
  /** What the manifest says where that does not hold: a limit above ours, or a list set aside. */
  readonly setAside?: unknown;
}

/** The fields with a source, by the names that configuration has for them. */
export type DefinitionField =
  | 'config'
  | 'allowedHosts'
  | 'allowedPaths'
  | 'timeoutMs'
  | `memory.${keyof MemoryLimits}`;

export interface PluginDefinition {
  /** In the manifest's order; exactly one is named `main`. */
  readonly files: readonly PluginFile[];
  /** SHA-256 over the bytes of all files in order, lower-case hexadecimal. */
  readonly hash: string;
  readonly config: Readonly<Record<string, string>>;
  /** Patterns, each of them usable. */
  readonly allowedHosts: readonly string[];
  readonly allowedPaths: readonly AllowedPath[];
  readonly timeoutMs: number;
  readonly memory: MemoryLimits;
  readonly sources: Readonly<Record<DefinitionField, FieldSource>>;
}
