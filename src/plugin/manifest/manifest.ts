/**
 * An Extism manifest after parsing: checked, its paths absolute, both spellings of a key made one.
 * Names and meaning are Extism's. Source: https://extism.org/docs/concepts/manifest/ and
 * https://github.com/extism/extism/blob/main/manifest/schema.json
 */
import type { RequestHeaders } from '../guest-http/request-headers.ts';
import type { AllowedPath, MemoryLimits } from './plugin-definition.ts';

/** Where the bytes of an item are. */
export type ItemSource =
  | { readonly kind: 'path'; readonly path: string }
  /** Base64, already seen to be that. */
  | { readonly kind: 'data'; readonly base64: string }
  | {
      readonly kind: 'url';
      readonly url: URL;
      readonly method: string;
      readonly headers: RequestHeaders;
    };

export interface ManifestItem {
  /** null: its place or its hash names it. */
  readonly name: string | null;
  /** SHA-256 in lower-case hexadecimal; null: any bytes will do. */
  readonly hash: string | null;
  readonly source: ItemSource;
}

/** null stands for "nothing said". */
export interface Manifest {
  readonly items: readonly ManifestItem[];
  readonly config: Readonly<Record<string, string>>;
  readonly allowedHosts: readonly string[] | null;
  readonly allowedPaths: readonly AllowedPath[] | null;
  readonly timeoutMs: number | null;
  readonly memory: Readonly<Record<Exclude<keyof MemoryLimits, 'maxOutputBytes'>, number | null>>;
}
