/**
 * Builds, then runs the tests: every `*.test.ts` below this folder, or those whose path contains
 * one of the arguments. Fails when it finds none: node's own test runner finds no TypeScript and
 * exits 0. The tests' processes inherit this one's `--import tsx`. Files run on every CPU, except
 * those that watch whole clusters, which come one after the other.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { run } from 'node:test';
import { spec as SpecReporter } from 'node:test/reporters';
import { shortOrLong } from './helpers/long-form.ts';

const FILE_CAP_MS = shortOrLong(600_000, 1_200_000);
/** Their tests time what whole clusters do: each file has the machine for itself. */
const ALONE_FOLDERS = ['browser', 'process'];

const wanted = process.argv.slice(2);
const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .map((file) => path.join(import.meta.dirname, file))
  .sort();

if (files.length === 0) {
  process.stderr.write(`no test file matches ${wanted.join(' ') || '*.test.ts'}\n`);
  process.exit(1);
}

// Process tests run what a user runs; a stale build would be tested in silence.
const build = path.join(import.meta.dirname, '../scripts/build.js');
if (spawnSync(process.execPath, [build, '--if-stale'], { stdio: 'inherit' }).status !== 0)
  process.exit(1);

Readable.from(runAll()).compose(new SpecReporter()).pipe(process.stdout);

/** Every event of every file's tests, as one stream for the reporter. */
async function* runAll(): AsyncGenerator {
  const alone = files.filter((file) => runsAlone(path.relative(import.meta.dirname, file)));
  const together = files.filter((file) => !alone.includes(file));
  for (const [group, concurrency] of [
    [together, os.availableParallelism()],
    [alone, 1],
  ] as const) {
    if (group.length === 0) continue;
    for await (const event of run({ files: group, concurrency, timeout: FILE_CAP_MS })) {
      if (event.type === 'test:fail') process.exitCode = 1;
      yield event;
    }
  }
}

function runsAlone(file: string): boolean {
  return ALONE_FOLDERS.some((folder) => file.startsWith(`${folder}${path.sep}`));
}
