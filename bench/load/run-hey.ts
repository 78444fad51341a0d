/** The same load by `hey`, the article's tool. It checks no body and rounds n down to a multiple of c. */
import { BadOptions } from './bad-options.ts';
import { checkOptions } from './check-options.ts';
import type { LoadOptions } from './load-options.ts';
import type { LoadResult } from './load-result.ts';
import { parseHey } from './parse-hey.ts';
import { onlyBody, runProgram } from './run-program.ts';

/** @throws ProgramFailed without hey; BadOptions for what hey cannot do: pipelining, warm-up, other traffic than fixed text. */
export async function runHey(options: LoadOptions, signal?: AbortSignal): Promise<LoadResult> {
  return parseHey(await runProgram('hey', heyArguments(options), signal));
}

export function heyArguments(options: LoadOptions): string[] {
  checkOptions(options);
  const { url, method, connections, requests, durationMs, rate, keepAlive, timeoutMs } = options;
  if (options.pipelining > 1) throw new BadOptions('hey cannot pipeline');
  if (options.warmUpMs > 0) throw new BadOptions('hey has no warm-up');
  const body = onlyBody('hey', options);
  return [
    ...(requests === null ? ['-z', `${durationMs}ms`] : ['-n', String(requests)]),
    ...['-c', String(connections), '-m', method, '-t', String(Math.ceil(timeoutMs / 1000))],
    // hey's rate is each worker's own.
    ...(rate === null ? [] : ['-q', String(rate / connections)]),
    ...(keepAlive ? [] : ['-disable-keepalive']),
    ...(body === '' ? [] : ['-T', 'text/plain; charset=utf-8', '-d', body]),
    url,
  ];
}
