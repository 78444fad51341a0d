/** What a plugin's thread is started with: data that can be cloned, compiled modules included. */
import type { MessagePort } from 'node:worker_threads';
import type { HttpChannelEnd } from '../guest-http/http-channel.ts';
import type { InstanceOptions } from '../instance-options.ts';

/** What the threads of one plugin have in common. */
export interface ThreadPlugin
  extends Pick<
    InstanceOptions,
    | 'plugin'
    | 'plan'
    | 'config'
    | 'memory'
    | 'reservedPages'
    | 'mounts'
    | 'timeoutMs'
    | 'loadTimeoutMs'
    | 'snapshot'
  > {
  /** Absolute path of the module of host functions, which the thread loads for itself. */
  readonly hostFunctions: string | null;
}

export interface ThreadSetup extends ThreadPlugin {
  readonly buffer: SharedArrayBuffer;
  readonly port: MessagePort;
  /** null: the plugin may not fetch. */
  readonly http: HttpChannelEnd | null;
}
