/** What a worker has to know of its supervisor; its entry finds it out. */
export interface WorkerRole {
  /** Whether our own primary keeps this worker, and answers on its socket in the run directory. */
  readonly hasOwnPrimary: boolean;
  /** Label `worker` of the metrics; the same after a restart. */
  readonly slot: string;
  /** Names the run directory, so that two apps of one user keep apart. */
  readonly appName: string;
  /** Process id that this worker and its siblings have in common. */
  readonly primaryPid: number;
  /** Run directory handed down, or null for the default one. */
  readonly runDir: string | null;
  /** How often pm2 restarted this slot before; null where our own primary counts, or nobody. */
  readonly restarts: number | null;
  /** The file where the supervisor keeps this app's errors, or null where standard error is the place. */
  readonly errorLog: string | null;
  /** How many workers the supervisor means to keep, or null when it did not say. */
  readonly expectedWorkers: number | null;
}
