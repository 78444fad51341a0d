/**
 * How the isolation `fresh` gets each call a fresh state: by restoring a snapshot, or by a new
 * instance. Restoring costs by the guest's memory, instantiating by its code, so both are measured
 * on the plugin itself.
 */
import type { Clock } from '../lock/lock.ts';
import type { CompiledPlugin, PluginInstance } from './compiled-plugin.ts';

export type FreshWay = 'restore' | 'instantiate';

const RESTORES = 5;
const INSTANTIATIONS = 3;

/** Leaves the given instance as it was. */
export async function chooseFreshWay(
  compiled: CompiledPlugin,
  instance: PluginInstance,
  clock: Clock,
): Promise<FreshWay> {
  if (!(await instance.restore())) return 'instantiate';
  const restoreMs = await fastest(RESTORES, clock, async () => {
    await instance.restore();
  });
  const instantiateMs = await fastest(INSTANTIATIONS, clock, async () => {
    await (await compiled.instantiate()).close();
  });
  return restoreMs <= instantiateMs ? 'restore' : 'instantiate';
}

async function fastest(times: number, clock: Clock, work: () => Promise<void>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let count = 0; count < times; count++) {
    const startedAt = clock();
    await work();
    best = Math.min(best, clock() - startedAt);
  }
  return best;
}
