/** The same load by `wrk`. It checks no body, knows no rate and no number of requests. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BadOptions } from './bad-options.ts';
import { checkOptions } from './check-options.ts';
import type { LoadOptions } from './load-options.ts';
import type { LoadResult } from './load-result.ts';
import { parseWrk } from './parse-wrk.ts';
import { onlyBody, runProgram } from './run-program.ts';

/** @throws ProgramFailed without wrk; BadOptions for what wrk cannot do. */
export async function runWrk(options: LoadOptions, signal?: AbortSignal): Promise<LoadResult> {
  checkOptions(options);
  if (options.rate !== null) throw new BadOptions('wrk has no rate');
  if (options.requests !== null) throw new BadOptions('wrk has no number of requests');
  if (options.pipelining > 1) throw new BadOptions('wrk is not told to pipeline');
  if (options.warmUpMs > 0) throw new BadOptions('wrk has no warm-up');
  if (options.durationMs < 1000) throw new BadOptions('wrk knows whole seconds only');
  const dir = mkdtempSync(path.join(os.tmpdir(), 'wrk-'));
  try {
    const script = path.join(dir, 'request.lua');
    writeFileSync(script, wrkScript(options));
    const { url, connections, threads, durationMs, timeoutMs } = options;
    const args = [
      ...[`-t${threads}`, `-c${connections}`, `-d${Math.round(durationMs / 1000)}s`],
      ...['--latency', '--timeout', `${Math.ceil(timeoutMs / 1000)}s`, '-s', script, url],
    ];
    return parseWrk(await runProgram('wrk', args, signal));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function wrkScript(options: LoadOptions): string {
  const body = onlyBody('wrk', options);
  const lines = [`wrk.method = "${options.method}"`];
  if (body !== '') {
    lines.push(
      `wrk.body = ${luaString(body)}`,
      'wrk.headers["Content-Type"] = "text/plain; charset=utf-8"',
    );
  }
  if (!options.keepAlive) lines.push('wrk.headers["Connection"] = "close"');
  return `${lines.join('\n')}\n`;
}

/** Every byte by its number, so that nothing in it can end the string. */
function luaString(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) => `\\${String(byte).padStart(3, '0')}`);
  return `"${bytes.join('')}"`;
}
