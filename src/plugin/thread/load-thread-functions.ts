/**
 * The host functions of a plugin in a thread. Where the engine can suspend a guest, or none of them
 * is async, they run in this thread. Else the guest's thread has to sleep while they run, so all of
 * the module's functions run in a second thread, where the module has one state for them all.
 */

import { type HostFunctions, hasAsync } from '../kernel/bind-host-functions.ts';
import { loadHostFunctions } from '../load-host-functions.ts';
import { createRemoteFunctions } from './remote-functions.ts';

/** @throws ServerError as {@link loadHostFunctions}. */
export async function loadThreadFunctions(
  plugin: Parameters<typeof loadHostFunctions>[0],
): Promise<HostFunctions> {
  const functions = await loadHostFunctions(plugin);
  if (plugin.hostFunctions === null || !hasAsync(functions)) return functions;
  if (WebAssembly.Suspending !== undefined) return functions;
  return createRemoteFunctions(plugin, functions);
}
