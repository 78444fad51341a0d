/** Instances in threads of their own, and the pool of those threads. */
import { ServerError } from '../../errors.ts';
import type { FactoryOptions, InstanceFactory } from '../instance-factory.ts';
import { PluginThread } from './plugin-thread.ts';
import { createThreadInstance } from './thread-instance.ts';
import { ThreadPool } from './thread-pool.ts';

/**
 * The guard ends a call at its deadline and the reply comes; else the thread is ended. Long enough
 * for a thread that is merely late, of which another would not come sooner; with the 5 ms that a spare
 * needs to take over it serves again some 30 ms after the deadline.
 */
const GRACE_MS = 25;

/** @throws ServerError `CONFIG_INVALID` for functions that cannot go to a thread. */
export function createThreadFactory({
  plugin,
  common,
  files,
  http,
  environment,
  hostFunctions,
}: FactoryOptions): InstanceFactory {
  if (Object.keys(hostFunctions).length > 0) {
    throw new ServerError(
      'CONFIG_INVALID',
      `plugins.${plugin.name}: functions cannot be handed to a thread; give the path of a module that exports them instead`,
    );
  }
  const isGuarded = files.every(({ guarded }) => guarded.unguarded === null);
  const pool = new ThreadPool(
    (onGone) =>
      new PluginThread({
        plugin: { ...common, hostFunctions: plugin.hostFunctions },
        http,
        graceMs: isGuarded ? GRACE_MS : 0,
        onLine: environment.onGuestLine,
        onGone,
      }),
  );
  const functions = [...common.plan.calls.keys()];
  return {
    instantiate: () => createThreadInstance(pool, functions),
    close: () => pool.close(),
  };
}
