/**
 * Builds, then runs the tests: every `*.test.ts` below this folder, or those whose path contains
 * one of the arguments. Fails when it finds none: node's own test runner finds no TypeScript and
 * exits 0. The tests' processes inherit this one's `--import tsx`.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { spec as SpecReporter } from 'node:test/reporters';

const FILE_CAP_MS = 600_000;

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
if (spawnSync(process.execPath, [build], { stdio: 'inherit' }).status !== 0) process.exit(1);

const stream = run({ files, concurrency: 1, timeout: FILE_CAP_MS });
stream.on('test:fail', () => {
  process.exitCode = 1;
});
stream.compose(new SpecReporter()).pipe(process.stdout);
