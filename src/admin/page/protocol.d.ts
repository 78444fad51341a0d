/** What the stream says: the page's side of src/admin/live/, whose types it must not import. */

export interface LifeEvent {
  kind: 'started' | 'ready' | 'draining' | 'hang';
  at: number;
  pid: number;
  text: string;
}

export interface PluginStatus {
  name: string;
  hash: string;
  version: string;
  isolation: string;
  execution: string;
  memoryBytes: number;
  waiters: number;
  calls: Record<string, number>;
  limits: {
    timeoutMs: number;
    maxPages: number;
    maxWaiters: number;
    waitMs: number;
    instances: number;
  };
}

export interface LiveHead {
  slot: string;
  pid: number;
  state: string;
  uptimeSeconds: number;
  version: string;
  plugins: PluginStatus[];
  events: LifeEvent[];
}

export interface SilentWorker {
  slot: string;
  pid: number;
  state: 'silent';
}

export interface WorkerReport {
  head: LiveHead;
  first: number;
  rows: (number | number[])[][];
}

export interface PrimaryStatus {
  pid: number;
  origin: string;
  listen: string;
  expectedWorkers: number;
  notReady: string[];
  rolls: {
    id: string;
    state: 'waiting' | 'running' | 'done' | 'failed';
    trigger: string;
    startedAt: string | null;
    durationMs: number | null;
    reason: string | null;
  }[];
  /** Not yet there in a primary that is older than its workers. */
  deaths?: { slot: string; pid: number | null; at: string; text: string }[];
}

export interface Turn {
  timeMs: number;
  primary: PrimaryStatus | null;
  workers: (WorkerReport | SilentWorker)[];
}

export interface Hello {
  format: number;
  rows: number;
  outcomes: string[];
  bounds: number[];
}
