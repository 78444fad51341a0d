/**
 * How long a worker may take to become ready. Whoever keeps workers goes by it: our own primary, and
 * pm2 by way of ecosystem.config.js.
 */
import type { PluginConfig, PluginHostConfig } from './types.ts';

/** A worker takes about half a second to start; compiling large plugins takes the most of the rest. */
const WITHOUT_PLUGINS_MS = 20_000;
/** The one that serves, and those on which it is measured how a fresh state comes at the least cost. */
const FRESH_INITIALISATIONS = 4;

/** A timer of Node's waits no longer; set to more it fires at once. A good three weeks. */
const LONGEST_MS = 2 ** 31 - 1;

/** Each plugin may use its time-out for each of its instances, to initialise it, and for its probe. */
export function startLimitMs({ plugins }: Pick<PluginHostConfig, 'plugins'>): number {
  const wanted = plugins.reduce(
    (sum, plugin) => sum + (initialisations(plugin) + 1) * plugin.timeoutMs,
    WITHOUT_PLUGINS_MS,
  );
  return Math.min(wanted, LONGEST_MS);
}

function initialisations({ isolation, poolSize }: PluginConfig): number {
  if (isolation === 'pool') return poolSize;
  return isolation === 'fresh' ? FRESH_INITIALISATIONS : 1;
}
