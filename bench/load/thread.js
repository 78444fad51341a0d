/** Starts a thread's module, which workerData names: Node 20 gives threads no `--import`, so TypeScript is seen to here. */
import { workerData } from 'node:worker_threads';

if (workerData.file.endsWith('.ts')) {
  const { register } = await import('tsx/esm/api');
  register();
}
await import(workerData.file);
