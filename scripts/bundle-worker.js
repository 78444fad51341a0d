// Makes one file of all that a worker loads, in place of dist/cli/start-worker.js. From 400 files, most of
// them dependencies', a worker takes twice the CPU time to start (bench/NOTES.md), and while it starts a
// dead one's place is empty. Everything else runs from the files that tsc wrote.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const root = path.dirname(import.meta.dirname);
const dist = path.join(root, 'dist');
const entry = path.join(dist, 'cli/start-worker.js');

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: [entry],
  outfile: entry,
  allowOverwrite: true,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  metafile: true,
  logLevel: 'warning',
  // CommonJS dependencies ask for Node's own modules with it.
  banner: {
    js: "import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);",
  },
  plugins: [{ name: 'own-place', setup: keepOwnPlace }],
});
// Of the file that stood there.
rmSync(`${entry}.map`);
writeFileSync(path.join(dist, 'THIRD-PARTY-NOTICES.txt'), notices(Object.keys(metafile.inputs)));

/** Files lie beside the module that names them, wherever its code runs. */
function keepOwnPlace({ onLoad }) {
  onLoad({ filter: /\.js$/ }, ({ path: file }) => {
    if (!file.startsWith(`${dist}${path.sep}`)) return undefined;
    const place = JSON.stringify(path.relative(path.dirname(entry), file));
    const url = `new URL(${place}, import.meta.url).href`;
    const contents = readFileSync(file, 'utf8').replaceAll('import.meta.url', url);
    return { contents };
  });
}

/** What the licences of the packages in the bundle ask for. */
function notices(inputs) {
  const folders = inputs.flatMap(
    (input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? [],
  );
  return [...new Set(folders)].sort().map(notice).join('\n');
}

function notice(folder) {
  const { name, version, license } = JSON.parse(
    readFileSync(path.join(root, folder, 'package.json'), 'utf8'),
  );
  const file = readdirSync(path.join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? '' : readFileSync(path.join(root, folder, file), 'utf8');
  return `${name} ${version} (${license})\n\n${text}\n`;
}
