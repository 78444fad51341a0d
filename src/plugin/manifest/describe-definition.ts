/**
 * A plugin's definition as rows for `plugind check`: each manifest field under Extism's name, its
 * value, who set it, and which part of the engine holds the plugin to it.
 */
import type { DefinitionField, FieldSource, PluginDefinition } from './plugin-definition.ts';

export interface DefinitionRow {
  /** As in a manifest: `memory.max_pages`. */
  readonly field: string;
  /** For people; of `config` the names only. */
  readonly value: string;
  readonly setBy: string;
  readonly enforcedBy: string;
}

/** Which part sees to it that the field holds. */
const ENFORCED_BY: Readonly<Record<DefinitionField, string>> = {
  config: 'host functions (own names only)',
  allowedHosts: 'HTTP client, at every redirect',
  allowedPaths: 'WASI layer',
  timeoutMs: 'call deadline',
  'memory.maxPages': 'guard and kernel, all memories together',
  'memory.maxVarBytes': 'host functions',
  'memory.maxHttpResponseBytes': 'HTTP client',
  'memory.maxOutputBytes': 'kernel',
};

export function describeDefinition(definition: PluginDefinition): readonly DefinitionRow[] {
  const { config, allowedHosts, allowedPaths, timeoutMs, memory, files } = definition;
  const row = (key: DefinitionField, field: string, value: string): DefinitionRow => ({
    field,
    value,
    setBy: setBy(definition.sources[key]),
    enforcedBy: ENFORCED_BY[key],
  });
  return [
    ...files.map(({ name, origin, hash, isHashGiven }) => ({
      field: `wasm ${name}`,
      value: `${origin} sha256 ${hash}`,
      setBy: isHashGiven ? 'manifest, with its hash' : 'whoever writes it: no hash is given',
      enforcedBy: isHashGiven ? 'reader, before compiling' : 'nobody',
    })),
    row('config', 'config', list(Object.keys(config))),
    row('allowedHosts', 'allowed_hosts', list(allowedHosts)),
    row('allowedPaths', 'allowed_paths', list(allowedPaths.map(formatPath))),
    row('timeoutMs', 'timeout_ms', String(timeoutMs)),
    row('memory.maxPages', 'memory.max_pages', String(memory.maxPages)),
    row('memory.maxVarBytes', 'memory.max_var_bytes', String(memory.maxVarBytes)),
    row(
      'memory.maxHttpResponseBytes',
      'memory.max_http_response_bytes',
      String(memory.maxHttpResponseBytes),
    ),
    row('memory.maxOutputBytes', 'memory.maxOutputBytes', String(memory.maxOutputBytes)),
  ];
}

function formatPath({ hostPath, guestPath, readOnly }: PluginDefinition['allowedPaths'][number]) {
  return `${readOnly ? 'ro:' : ''}${hostPath} -> ${guestPath}`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? 'none' : items.join(', ');
}

function setBy({ by, setAside }: FieldSource): string {
  if (setAside === undefined) return by;
  return typeof setAside === 'number'
    ? `${by} (the manifest allows ${setAside})`
    : `${by} (in place of the manifest's)`;
}
