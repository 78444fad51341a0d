import type { PluginMemoryConfig } from '../../config/types.ts';
import type { Mount } from '../instance-options.ts';
export interface PluginDefinition {
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly hash: string;
  readonly config: Record<string, string>;
  readonly allowedHosts: readonly string[];
  readonly allowedPaths: readonly Mount[];
  readonly timeoutMs: number;
  readonly memory: PluginMemoryConfig;
}
