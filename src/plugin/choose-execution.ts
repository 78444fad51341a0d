/** Where a plugin runs: as configured, or in a thread where only a thread can wait for the host. */
import type { Execution, PluginConfig } from '../config/types.ts';

export interface ExecutionChoice {
  readonly execution: Execution;
  /** For people. */
  readonly executionReason: string;
}

export function chooseExecution(plugin: PluginConfig, fetches: boolean): ExecutionChoice {
  if (plugin.execution === 'thread') {
    return { execution: 'thread', executionReason: 'set by: configuration' };
  }
  if (fetches && WebAssembly.Suspending === undefined) {
    const reason = `it fetches, and Node ${process.versions.node} cannot suspend a plugin (25 can)`;
    return { execution: 'thread', executionReason: `chosen here: ${reason}` };
  }
  return { execution: 'inline', executionReason: 'set by: configuration or default' };
}
