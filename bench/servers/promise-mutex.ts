/**
 * The article's Node version: one process, one plugin of the SDK, a promise chain as its mutex.
 */
import { callPlugin, loadPlugin, serve } from './serve-plugin.ts';

const plugin = await loadPlugin();
let last: Promise<unknown> = Promise.resolve();

await serve((body) => {
  const turn = last.then(() => callPlugin(plugin, body));
  last = turn.catch(() => {});
  return turn;
});
