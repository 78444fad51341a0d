/**
 * The worker's entry, under our own primary and under pm2 alike. Everything else is imported
 * dynamically: a module that throws while it loads would leave a pm2 worker "online" for ever.
 */
import type { ServerError } from './errors.ts';
import { hideWasiWarning } from './hide-wasi-warning.ts';

hideWasiWarning();
// What cannot be written is lost; without a listener it would end the process.
process.stderr.on('error', () => {});

// Asked for at once, so that a signal that arrives while the rest loads is not lost.
const stopRequested = new Promise<string>((resolve) => {
  process.on('SIGINT', () => resolve('SIGINT'));
  process.on('SIGTERM', () => resolve('SIGTERM'));
  process.on('message', (message: unknown) => {
    if (message === 'shutdown' || message === 'retire') resolve(message);
  });
});

try {
  const { startFromEnvironment } = await import('./cli/start-worker.ts');
  process.exitCode = await startFromEnvironment(stopRequested);
} catch (thrown) {
  const error = thrown as Partial<ServerError> & Error;
  const isMistake = error.isOperatorMistake === true;
  process.stderr.write(`plugind: ${isMistake ? error.message : (error.stack ?? String(thrown))}\n`);
  process.exitCode = isMistake ? 2 : 1;
}
process.exit();
