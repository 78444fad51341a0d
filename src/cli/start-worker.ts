/** Turns what the supervisor gave (arguments, environment, an accepted configuration) into a running worker. */
import { createPrimaryLink } from '../cluster/primary-link.ts';
import { type ProcessRole, readProcessRole } from '../cluster/process-role.ts';
import { readAcceptedConfig } from '../config/accepted-config.ts';
import type { PluginHostConfig } from '../config/types.ts';
import { ServerError } from '../errors.ts';
import { runWorker } from '../worker/run-worker.ts';
import { parseServeArguments } from './arguments.ts';
import { BUNDLED_PLUGIN } from './bundled.ts';

/** Resolves to the exit code once the worker has left. */
export async function startFromEnvironment(stopRequested: Promise<string>): Promise<number> {
  const role = readProcessRole();
  const link = createPrimaryLink({ isOwnPrimary: role.hasOwnPrimary });
  try {
    return await runWorker({
      config: await readConfig(role),
      role,
      stopRequested: Promise.race([stopRequested, link.gone]),
      onReady: () => link.sayReady(),
      notReady: link.notReady,
    });
  } catch (thrown) {
    await link.sayFailed(ServerError.from(thrown).message);
    throw thrown;
  }
}

async function readConfig(role: ProcessRole): Promise<PluginHostConfig> {
  if (role.acceptedConfig !== null) return readAcceptedConfig(role.acceptedConfig);
  // Under pm2 only: what checks a file is not loaded where a primary of ours has checked it.
  const { loadConfig } = await import('../config/load-config.ts');
  return loadConfig({
    args: parseServeArguments(role.args),
    bundled: BUNDLED_PLUGIN,
  });
}
