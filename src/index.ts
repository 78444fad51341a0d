/**
 * plugind as a library: run Extism plugins from many concurrent requests of your own Node program,
 * with the limits, the lock and the isolation of the server.
 *
 * ```ts
 * import { createPlugin } from 'plugind';
 *
 * const plugin = await createPlugin({ wasm: 'hello.wasm', isolation: 'pool', poolSize: 4 });
 * const output = await plugin.call('hello', 'Bob');
 * console.log(output.text());
 * await plugin.close();
 * ```
 */
export { ERROR_CODES, type ErrorCode, ServerError } from './errors.ts';
export {
  type CallOptions,
  type CreatePluginOptions,
  createPlugin,
  type Plugin,
} from './plugin/create-plugin.ts';
export type { GuestLine } from './plugin/engine-environment.ts';
export type { HostFunction, HostFunctions } from './plugin/kernel/bind-host-functions.ts';
export type { CallContext } from './plugin/kernel/call-context.ts';
export type { PluginOutput } from './plugin/kernel/plugin-output.ts';
