/** Starts a thread's TypeScript, which workerData names: Node 20 gives threads no `--import`. */
import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
await import(workerData.file);
