/** `plugind check`: everything `serve` would refuse, without serving. */
import { loadConfig } from '../config/load-config.ts';
import { closePlugins, createPlugins, QUIET_ENVIRONMENT } from '../worker/create-plugins.ts';
import type { ServeArguments } from './arguments.ts';
import { BUNDLED_PLUGIN } from './bundled.ts';
import { checkReport } from './print.ts';

/** Prints routes and limits. @throws ServerError for what is wrong. */
export async function check(args: ServeArguments): Promise<number> {
  const config = loadConfig({ args, bundled: BUNDLED_PLUGIN });
  const plugins = await createPlugins(config, QUIET_ENVIRONMENT);
  console.log(checkReport(config, [...plugins.values()]));
  await closePlugins(plugins.values());
  return 0;
}
