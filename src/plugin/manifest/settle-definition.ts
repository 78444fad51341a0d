/**
 * Settles what a plugin may have between its manifest and its entry in the configuration.
 * Limits: the stricter wins, and ours count where the entry says nothing. Lists of hosts and paths:
 * the entry's, where it has one, takes the place of the manifest's, also when it is empty. `config`: merged, the entry's
 * values over the manifest's.
 */
import { PLUGIN_DEFAULTS } from '../../config/defaults.ts';
import type { PluginConfig } from '../../config/types.ts';
import type { Manifest } from './manifest.ts';
import { parseAllowedPath } from './parse-manifest.ts';
import type { FieldOrigin, FieldSource, PluginDefinition } from './plugin-definition.ts';

type Settled = Omit<PluginDefinition, 'files' | 'hash'>;

interface Choice<T> {
  readonly value: T;
  readonly source: FieldSource;
}

/** @param manifest null where the plugin is a single wasm file. */
export function settleDefinition(manifest: Manifest | null, plugin: PluginConfig): Settled {
  const { memory: ours } = plugin;
  const { memory: defaults } = PLUGIN_DEFAULTS;
  const theirs = manifest?.memory;
  const timeoutMs = stricter(manifest?.timeoutMs, plugin.timeoutMs, PLUGIN_DEFAULTS.timeoutMs);
  const maxPages = stricter(theirs?.maxPages, ours.maxPages, defaults.maxPages);
  const maxVarBytes = stricter(theirs?.maxVarBytes, ours.maxVarBytes, defaults.maxVarBytes);
  const maxHttpResponseBytes = stricter(
    theirs?.maxHttpResponseBytes,
    ours.maxHttpResponseBytes,
    defaults.maxHttpResponseBytes,
  );
  const maxOutputBytes = stricter(null, ours.maxOutputBytes, defaults.maxOutputBytes);
  const allowedHosts = replacing(manifest?.allowedHosts, plugin.allowedHosts);
  // Absolute already; the folder is only for manifests.
  const ourPaths =
    plugin.allowedPaths === null
      ? null
      : Object.entries(plugin.allowedPaths).map(([key, guestPath]) =>
          parseAllowedPath(key, guestPath, ''),
        );
  const allowedPaths = replacing(manifest?.allowedPaths, ourPaths);
  const config = { ...manifest?.config, ...plugin.config };
  return {
    config,
    allowedHosts: allowedHosts.value,
    allowedPaths: allowedPaths.value,
    timeoutMs: timeoutMs.value,
    memory: {
      maxPages: maxPages.value,
      maxVarBytes: maxVarBytes.value,
      maxHttpResponseBytes: maxHttpResponseBytes.value,
      maxOutputBytes: maxOutputBytes.value,
    },
    sources: {
      config: { by: configOrigin(manifest?.config ?? {}, plugin.config) },
      allowedHosts: allowedHosts.source,
      allowedPaths: allowedPaths.source,
      timeoutMs: timeoutMs.source,
      'memory.maxPages': maxPages.source,
      'memory.maxVarBytes': maxVarBytes.source,
      'memory.maxHttpResponseBytes': maxHttpResponseBytes.source,
      'memory.maxOutputBytes': maxOutputBytes.source,
    },
  };
}

function stricter(
  theirs: number | null | undefined,
  ours: number,
  ofDefault: number,
): Choice<number> {
  const by = ours === ofDefault ? 'default' : 'configuration';
  if (theirs === null || theirs === undefined) return { value: ours, source: { by } };
  if (theirs < ours) return { value: theirs, source: { by: 'manifest' } };
  return { value: ours, source: theirs === ours ? { by } : { by, setAside: theirs } };
}

function replacing<T>(
  theirs: readonly T[] | null | undefined,
  ours: readonly T[] | null,
): Choice<readonly T[]> {
  const said = theirs ?? [];
  if (ours === null) {
    return { value: said, source: { by: said.length > 0 ? 'manifest' : 'default' } };
  }
  const by = 'configuration';
  return { value: ours, source: said.length > 0 ? { by, setAside: said } : { by } };
}

function configOrigin(theirs: object, ours: object): FieldOrigin {
  const isTheirs = Object.keys(theirs).some((key) => !Object.hasOwn(ours, key));
  if (Object.keys(ours).length === 0) return isTheirs ? 'manifest' : 'default';
  return isTheirs ? 'manifest and configuration' : 'configuration';
}
