/** What a way of execution has to offer: instances, and an end of what it keeps for them. */
import type { PluginConfig } from '../config/types.ts';
import type { CompiledPlugin } from './compiled-plugin.ts';
import type { EngineEnvironment } from './engine-environment.ts';
import type { GuestHttpLimits } from './guest-http/guest-http-requester.ts';
import type { HostFunctions } from './kernel/bind-host-functions.ts';
import type { GuardedFile } from './link-plan.ts';
import type { ThreadPlugin } from './thread/thread-setup.ts';

export type InstanceFactory = Pick<CompiledPlugin, 'instantiate' | 'close'>;

export interface FactoryOptions {
  readonly plugin: PluginConfig;
  /** What instances are made of and bounded by wherever they run. */
  readonly common: Omit<ThreadPlugin, 'hostFunctions'>;
  readonly files: readonly GuardedFile[];
  /** null: the plugin does not fetch, or may not. */
  readonly http: GuestHttpLimits | null;
  readonly environment: EngineEnvironment;
  /** Given by a program that embeds the engine. */
  readonly hostFunctions: HostFunctions;
}
