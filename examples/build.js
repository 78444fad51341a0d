/**
 * Builds every AssemblyScript example from npm packages alone: `npm run build:examples`.
 * `--check` writes nothing: it compares a fresh build with the committed files byte for byte and exits 1
 * with the names of those that differ. The Rust and Go versions of hello need compilers of their own and
 * are built by the line in their README.
 * The committed files come from assemblyscript 0.28.20 and @extism/as-pdk 1.0.0.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import asc from 'assemblyscript/asc';

const root = path.dirname(import.meta.dirname);

/** Each is a folder, and in it the name of the source and of the wasm. */
const EXAMPLES = [
  'count-vowels',
  'counter',
  'echo',
  'envelope',
  'error',
  'hello',
  'loop',
  'slow',
  'trap',
  'wait',
];

/** Runtime "stub" never frees: an example that allocates empties its heap at the start of each call. */
const OPTIONS = ['-O3', '--runtime', 'stub'];

/** Compiles one example; returns the wasm. Paths are relative to `root`, so none of this machine gets in. */
async function build(name) {
  const source = `examples/${name}/${name}`;
  // Without an abort function of its own a plugin would import `env.abort`, which no Extism host has.
  const hasAbort = readFileSync(path.join(root, `${source}.ts`), 'utf8').includes(
    'function abort(',
  );
  const written = new Map();
  const { error, stderr } = await asc.main(
    [
      `${source}.ts`,
      ...OPTIONS,
      ...(hasAbort ? ['--use', `abort=${source}/abort`] : []),
      ...['--outFile', 'out.wasm', '--baseDir', root],
    ],
    { writeFile: (file, contents) => written.set(file, contents) },
  );
  if (error) throw new Error(`${name} does not compile:\n${stderr}`);
  return Buffer.from(written.get('out.wasm'));
}

function readCommitted(file) {
  try {
    return readFileSync(file);
  } catch {
    return null;
  }
}

const { check } = parseArgs({ options: { check: { type: 'boolean', default: false } } }).values;
const differing = [];
for (const name of EXAMPLES) {
  const file = path.join(root, 'examples', name, `${name}.wasm`);
  const wasm = await build(name);
  const same = readCommitted(file)?.equals(wasm) ?? false;
  if (!same && check) differing.push(name);
  if (!same && !check) writeFileSync(file, wasm);
  process.stdout.write(
    `${name}: ${wasm.length} bytes${same ? '' : check ? ', DIFFERS' : ', written'}\n`,
  );
}
if (differing.length > 0) {
  process.stderr.write(`not what the source gives: ${differing.join(', ')}\n`);
  process.exitCode = 1;
}
