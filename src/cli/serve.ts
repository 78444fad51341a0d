/**
 * `plugind serve`: checks everything first, so that a mistake is one line before anything listens,
 * then becomes the primary of the workers.
 */
import { fileURLToPath } from 'node:url';
import { prepareRunDir } from '../admin/run-dir.ts';
import { runPrimary } from '../cluster/primary.ts';
import { OWN_APP_NAME, readProcessRole } from '../cluster/process-role.ts';
import { writeAcceptedConfig } from '../config/accepted-config.ts';
import { loadConfig } from '../config/load-config.ts';
import { createLogger } from '../log.ts';
import { closePlugins, createPlugins, QUIET_ENVIRONMENT } from '../worker/create-plugins.ts';
import type { ServeArguments } from './arguments.ts';
import { BUNDLED_PLUGIN } from './bundled.ts';
import { checkListen } from './check-listen.ts';
import { banner } from './print.ts';

/** Resolves to the exit code once every worker has left. @throws ServerError before anything listens. */
export async function serve(args: ServeArguments): Promise<number> {
  const asked = loadConfig({ args, bundled: BUNDLED_PLUGIN });
  const plugins = await createPlugins(asked, QUIET_ENVIRONMENT);
  const descriptions = [...plugins.values()].map(({ description }) => description);
  await closePlugins(plugins.values());
  const config = {
    ...asked,
    listen: { ...asked.listen, port: await checkListen('listen', asked.listen) },
    admin: { ...asked.admin, port: await checkListen('admin', asked.admin) },
  };
  const runDir = await prepareRunDir({
    given: readProcessRole().runDir,
    appName: OWN_APP_NAME,
    primaryPid: process.pid,
  });
  const { shutdown } = config;
  return runPrimary({
    workerFile: fileURLToPath(import.meta.resolve('../worker.js')),
    acceptedConfig: writeAcceptedConfig(runDir, config),
    workers: config.workers,
    runDir,
    stopMs: shutdown.delayMs + shutdown.drainMs,
    log: createLogger(config.log.level, { process: 'primary', pid: process.pid }),
    onReady: () => console.error(banner(config, descriptions)),
  });
}
