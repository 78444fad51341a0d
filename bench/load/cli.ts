/** The load client as a program: `npm run load -- URL [options]`. */
import { BadOptions } from './bad-options.ts';
import { LOAD_USAGE, type LoadArguments, parseLoadArguments } from './load-arguments.ts';
import { type LoadMetrics, startLoadMetrics } from './load-metrics.ts';
import type { LoadResult } from './load-result.ts';
import { resultText } from './print-result.ts';
import { createProgressLine } from './progress-line.ts';
import { runHey } from './run-hey.ts';
import { runLoad } from './run-load.ts';
import { ProgramFailed } from './run-program.ts';
import { runWrk } from './run-wrk.ts';

const INTERRUPTED = 130;

try {
  const args = parseLoadArguments(process.argv.slice(2));
  if (args === null) console.log(LOAD_USAGE);
  else process.exitCode = await run(args);
} catch (error) {
  if (!isMistake(error)) throw error;
  console.error(`load: ${error.message}`);
  process.exitCode = 2;
}

function isMistake(error: unknown): error is Error {
  if (error instanceof BadOptions || error instanceof ProgramFailed) return true;
  const { code = '' } = error as NodeJS.ErrnoException;
  return code === 'EADDRINUSE' || code.startsWith('ERR_PARSE_ARGS');
}

async function run(args: LoadArguments): Promise<number> {
  const interrupt = new AbortController();
  // The first Ctrl-C ends the load, the second one, by default, the process.
  process.once('SIGINT', () => interrupt.abort());
  const { metricsPort: port, testid } = args;
  const metrics = port === null ? null : await startLoadMetrics({ port, testid });
  if (metrics !== null) console.error(`metrics ${metrics.url}`);
  const result = await load(args, interrupt.signal, metrics);
  await metrics?.close();
  console.log(args.json ? JSON.stringify(result, null, 2) : resultText(result));
  if (interrupt.signal.aborted) return INTERRUPTED;
  return result.wrong + result.failed === 0 ? 0 : 1;
}

async function load(
  { tool, options, scenario }: LoadArguments,
  signal: AbortSignal,
  metrics: LoadMetrics | null,
): Promise<LoadResult> {
  if (tool === 'hey') return runHey(options, signal);
  if (tool === 'wrk') return runWrk(options, signal);
  const line = createProgressLine(process.stderr);
  try {
    return await runLoad(options, line.show, signal, (live) => metrics?.watch(live, scenario));
  } finally {
    line.end();
  }
}
