/** How long each step of a worker's drain may take, by why it leaves. */
import type { PluginHostConfig } from '../config/types.ts';
import type { DrainOptions } from './drain.ts';
import { PRIMARY_GONE, type StopReason } from './stop-reason.ts';

export type DrainTimes = Pick<DrainOptions, 'keepAliveTimeoutMs' | 'delayMs' | 'drainMs'>;

/** With the primary the listening sockets went: nobody else will come, and an orphan must not stay. */
const ORPHAN_DRAIN = { delayMs: 0, keepAliveTimeoutMs: 0, drainMs: 1500 };

/** @param isRetired others serve on: the shared port goes on accepting, and no balancer has to be told. */
export function drainTimes(
  { http, shutdown }: Pick<PluginHostConfig, 'http' | 'shutdown'>,
  { reason, isRetired }: { readonly reason: StopReason; readonly isRetired: boolean },
): DrainTimes {
  if (reason === PRIMARY_GONE) return ORPHAN_DRAIN;
  const { keepAliveTimeoutMs } = http;
  return { keepAliveTimeoutMs, ...shutdown, ...(isRetired && { delayMs: 0 }) };
}
