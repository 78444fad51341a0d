/** What every instance of one plugin is made of and bounded by; the same for all of them. */
import type { PluginMemoryConfig } from '../config/types.ts';
import type { Clock } from '../lock/lock.ts';
import type { SnapshotUse } from './guard/guarded-module.ts';
import type { HostFunctions } from './kernel/bind-host-functions.ts';
import type { LogSink } from './kernel/guest-log.ts';
import type { GuestHttp } from './kernel/http-host.ts';
import type { KernelStore } from './kernel/kernel-store.ts';
import type { LinkPlan } from './link-plan.ts';
import type { OutputSink } from './wasi/line-output.ts';
import type { Preopen } from './wasi/mounts.ts';

/** A guest's HTTP that may have kept connections to give back. */
export type InstanceHttp = GuestHttp & { readonly close?: () => void };

export interface InstanceOptions {
  /** Name of the plugin, for messages. */
  readonly plugin: string;
  readonly plan: LinkPlan;
  readonly config: Readonly<Record<string, string>>;
  readonly memory: PluginMemoryConfig;
  /** Of `memory.maxPages`, what the guests' memories can reach unasked; 0 where each asks. */
  readonly reservedPages: number;
  readonly mounts: readonly Preopen[];
  /** null: the plugin may not fetch. Called once for each instance. */
  readonly createHttp: ((remainingMs: () => number) => InstanceHttp) | null;
  readonly hostFunctions: HostFunctions;
  /** One for all instances of the plugin in a thread. */
  readonly kernels: KernelStore;
  readonly logSink: LogSink;
  readonly outputSink: OutputSink;
  /** Deadline of one call. */
  readonly timeoutMs: number;
  /** Deadline of the initialisation. */
  readonly loadTimeoutMs: number;
  /** What a snapshot is taken for; null: none is. */
  readonly snapshot: SnapshotUse | null;
  readonly clock: Clock;
}
