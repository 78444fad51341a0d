#!/usr/bin/env node
/**
 * The `plugind` command. The only file that ends the process: a mistake of the operator is one
 * clear line each on standard error and exit code 2, anything unforeseen exit code 1. The rest is
 * imported dynamically, after Node's warning about the SDK's imports is seen to.
 */
import { ServerError } from './errors.ts';
import { hideWasiWarning } from './hide-wasi-warning.ts';

hideWasiWarning();
try {
  const { parseArguments } = await import('./cli/arguments.ts');
  const { runCommand } = await import('./cli/run-command.ts');
  process.exitCode = await runCommand(parseArguments(process.argv.slice(2)));
} catch (thrown) {
  const error = ServerError.from(thrown);
  const text = error.code === 'INTERNAL' ? (error.stack ?? error.message) : error.message;
  process.stderr.write(`plugind: ${text}\n`);
  process.exitCode = error.code === 'INTERNAL' ? 1 : 2;
}
process.exit();
