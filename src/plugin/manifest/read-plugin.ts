import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import type { PluginConfig } from '../../config/types.ts';
import type { PluginDefinition } from './plugin-definition.ts';
export async function readPlugin(plugin: PluginConfig): Promise<PluginDefinition> {
  const s = plugin.source as any;
  const bytes = s.kind === 'manifest' ? Buffer.from(s.manifest.wasm[0].data, 'base64') : readFileSync(s.path);
  return { files: [{name: 'main', bytes}], hash: createHash('sha256').update(bytes).digest('hex'), config: {...plugin.config}, allowedHosts: [], allowedPaths: [], timeoutMs: plugin.timeoutMs, memory: plugin.memory };
}
