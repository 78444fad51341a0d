/** Instances in the caller's own thread, and what they need to be made. */
import { ServerError } from '../errors.ts';
import type { GuestHttpLimits } from './guest-http/guest-http-requester.ts';
import { guestSinks } from './guest-sinks.ts';
import { createInlineInstance } from './inline-instance.ts';
import type { FactoryOptions, InstanceFactory } from './instance-factory.ts';
import type { InstanceOptions } from './instance-options.ts';
import { hasAsync } from './kernel/bind-host-functions.ts';
import { KernelStore } from './kernel/kernel-store.ts';
import { loadHostFunctions } from './load-host-functions.ts';

/** @throws ServerError `CONFIG_NOT_FOUND` or `CONFIG_INVALID` for its host functions. */
export async function createInlineFactory({
  plugin,
  common,
  http,
  environment,
  hostFunctions: given,
}: FactoryOptions): Promise<InstanceFactory> {
  const hostFunctions = { ...(await loadHostFunctions(plugin)), ...given };
  if (WebAssembly.Suspending === undefined && hasAsync(hostFunctions)) {
    throw new ServerError(
      'CONFIG_INVALID',
      `plugins.${plugin.name}: async host functions need "execution": "thread" and a file of functions, or Node 25, which can suspend a plugin`,
    );
  }
  const options = {
    ...common,
    ...guestSinks(plugin.name, environment.onGuestLine),
    hostFunctions,
    kernels: new KernelStore(),
    createHttp: http === null ? null : await httpFactory(http),
    clock: environment.clock,
  };
  return {
    instantiate: () => createInlineInstance(options),
    close: async () => {},
  };
}

async function httpFactory(limits: GuestHttpLimits): Promise<InstanceOptions['createHttp']> {
  const { createSuspendingHttp } = await import('./guest-http/suspending-http.ts');
  return (remainingMs) => createSuspendingHttp({ ...limits, remainingMs });
}
