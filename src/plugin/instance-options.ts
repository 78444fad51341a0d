/** What every instance of one plugin is made of and bounded by; the same for all of them. */
import type { PluginMemoryConfig } from '../config/types.ts';
import type { Clock } from '../lock/lock.ts';
import type { HostFunctions } from './kernel/bind-host-functions.ts';
import type { LogSink } from './kernel/guest-log.ts';
import type { LinkPlan } from './link-plan.ts';

/** A host directory that a WASI guest may use. */
export interface Mount {
  /** Absolute. */
  readonly hostPath: string;
  readonly guestPath: string;
  readonly readOnly: boolean;
}

/** Takes one line that a guest wrote to its standard output or error. */
export type OutputSink = (stream: 'stdout' | 'stderr', line: string) => void;

export interface InstanceOptions {
  /** Name of the plugin, for messages. */
  readonly plugin: string;
  readonly plan: LinkPlan;
  readonly config: Readonly<Record<string, string>>;
  readonly memory: PluginMemoryConfig;
  readonly mounts: readonly Mount[];
  readonly allowedHosts: readonly string[];
  readonly hostFunctions: HostFunctions;
  readonly logSink: LogSink;
  readonly outputSink: OutputSink;
  /** Deadline of one call. */
  readonly timeoutMs: number;
  /** Deadline of the initialisation. */
  readonly loadTimeoutMs: number;
  /** Whether a snapshot is taken, for `restore`. */
  readonly canRestore: boolean;
  readonly clock: Clock;
}
