/**
 * `plugind serve`: checks everything first, so that a mistake is one line before anything listens,
 * then becomes the primary of the workers. A roll reads everything anew in the same way.
 */
import { fileURLToPath } from 'node:url';
import { emptyRunDir, prepareRunDir, removeRunDir } from '../admin/run-dir.ts';
import { type PrimaryOptions, runPrimary } from '../cluster/primary.ts';
import { assertFreeRunDir } from '../cluster/primary-server.ts';
import type { PrimarySignals } from '../cluster/primary-signals.ts';
import { OWN_APP_NAME, readProcessRole } from '../cluster/process-role.ts';
import { type Accepted, acceptConfig, assertSameAddresses } from '../config/accepted-config.ts';
import { loadConfig } from '../config/load-config.ts';
import type { PluginHostConfig } from '../config/types.ts';
import { createLogger } from '../log.ts';
import { fetchItems } from '../plugin/manifest/fetch-items.ts';
import type { PluginDescription } from '../plugin/observer.ts';
import { closePlugins, createPlugins, QUIET_ENVIRONMENT } from '../worker/create-plugins.ts';
import type { ServeArguments } from './arguments.ts';
import { BUNDLED_PLUGIN } from './bundled.ts';
import { checkListen } from './check-listen.ts';
import { banner } from './print.ts';

/** Resolves to the exit code once every worker has left, or at a signal to stop before there are any. @throws ServerError before anything listens. */
export async function serve(args: ServeArguments, signals: PrimarySignals): Promise<number> {
  const asked = loadConfig({ args, bundled: BUNDLED_PLUGIN });
  const given = readProcessRole().runDir;
  const runDir = await prepareRunDir({ given, appName: OWN_APP_NAME, primaryPid: process.pid });
  await assertFreeRunDir(runDir);
  await emptyRunDir(runDir);
  try {
    const checked = prepare(runDir, asked, args);
    const ready = await Promise.race([checked, signals.stopped]);
    return ready === undefined ? 0 : await runPrimary({ ...ready, signals });
  } finally {
    // What lies there by now may be another server's, that came while this one checked its plugins.
    const isOurs = await assertFreeRunDir(runDir).then(
      () => true,
      () => false,
    );
    if (isOurs) await removeRunDir({ runDir, isGiven: given !== null });
  }
}

/** Everything that can be wrong is found here. */
async function prepare(
  runDir: string,
  asked: PluginHostConfig,
  args: ServeArguments,
): Promise<Omit<PrimaryOptions, 'signals'>> {
  const first = await acceptConfig(runDir, asked, fetchItems);
  const descriptions = await checkPlugins(first);
  const listen = { ...asked.listen, port: await checkListen('listen', asked.listen) };
  const admin = { ...asked.admin, port: await checkListen('admin', asked.admin) };
  const accepted = await acceptConfig(runDir, { ...first.config, listen, admin }, fetchItems);
  return {
    workerFile: fileURLToPath(import.meta.resolve('../worker.js')),
    accepted: { ...accepted, sources: first.sources },
    readAnew: () => {
      const config = loadConfig({ args, bundled: BUNDLED_PLUGIN });
      assertSameAddresses(asked, config);
      // With port 0 the system chose once, and the primary holds what it chose.
      return acceptConfig(runDir, { ...config, listen, admin }, fetchItems);
    },
    runDir,
    log: createLogger(asked.log.level, { process: 'primary', pid: process.pid }),
    onReady: () => console.error(banner(accepted.config, descriptions)),
  };
}

async function checkPlugins({ config }: Accepted): Promise<PluginDescription[]> {
  const plugins = await createPlugins(config, QUIET_ENVIRONMENT);
  const descriptions = [...plugins.values()].map(({ description }) => description);
  await closePlugins(plugins.values());
  return descriptions;
}
