/** Entry of a plugin's thread; started by plugin-thread.ts. */
import { workerData } from 'node:worker_threads';
import { CalleeSide } from './callee-side.ts';
import { ThreadMain } from './thread-main.ts';
import type { ThreadSetup } from './thread-setup.ts';

const setup = workerData as ThreadSetup;
const main = new ThreadMain(setup, (line) => side.postLine(line));
const side = new CalleeSide(setup.buffer, setup.port, main);
side.start();
