// Compiles src/ to dist/, bundles what workers load, and puts the live page there, and the kernel after checking that it is what its source assembles to.
// The examples are committed beside their source. With `--if-stale` it does nothing where all that is newer than its sources.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const tsc = path.join(
  path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin/tsc',
);

/** Written last. */
const STAMP = path.join(root, 'dist/.built');
const SOURCES = ['src', 'scripts', 'tsconfig.json', 'package.json'];

if (process.argv.includes('--if-stale') && isFresh()) process.exit(0);
rmSync(path.join(root, 'dist'), { recursive: true, force: true });
run([tsc, '-p', 'tsconfig.json']);
run([path.join(root, 'scripts/bundle-worker.js')]);
run([path.join(root, 'scripts/build-kernel.js'), '--check', '--dist']);
// The live page runs as it is written.
cpSync(path.join(root, 'src/admin/page'), path.join(root, 'dist/admin/page'), {
  recursive: true,
  filter: (file) => !file.endsWith('.d.ts'),
});
chmodSync(path.join(root, 'dist/cli.js'), 0o755);
writeFileSync(STAMP, '');

/** A file that was taken away makes its folder newer. */
function isFresh() {
  const built = statSync(STAMP, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return SOURCES.map((name) => path.join(root, name))
    .flatMap((source) =>
      statSync(source).isDirectory()
        ? [
            source,
            ...readdirSync(source, { recursive: true }).map((name) => path.join(source, name)),
          ]
        : [source],
    )
    .every((file) => statSync(file).mtimeMs < built);
}

function run(args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}
