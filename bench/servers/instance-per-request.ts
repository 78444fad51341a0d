/** The article's second server on Node: one process, an instance made from the wasm's bytes for each request. */
import { callPlugin, loadPlugin, serve } from './serve-plugin.ts';

await serve(async (body) => {
  const plugin = await loadPlugin();
  try {
    return await callPlugin(plugin, body);
  } finally {
    await plugin.close();
  }
});
