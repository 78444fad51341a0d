/**
 * A fuzzing campaign against the guard; not part of the tests, which run a little of the same:
 *
 *     npm run fuzz -- --seconds 600 --seed 1         600 s of modules, from seed 1 on
 *     npm run fuzz -- --seed 1234 --modules 1        the module of seed 1234 again
 *     npm run fuzz -- --file corpus/loops.wasm       one module kept as a file, with --seed's budgets
 *
 * Modules come from the corpus, from binaryen's fuzzer and from random-flow. For each: what V8 takes
 * is guarded into something V8 takes, or refused; guarded with fuel it does the same as plain; with
 * any fuel for any number of periods it ends. A module that fails is written to the folder --keep;
 * once its defect is mended it belongs into the corpus.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkModule } from './check-module.ts';
import { readCorpus } from './corpus.ts';
import { Random } from './random.ts';
import { randomFlow } from './random-flow.ts';
import { RandomModules } from './random-module.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    /** Ends the campaign after so many modules, if its time is not over before. */
    modules: { type: 'string', default: 'Infinity' },
    /** Random bytes that binaryen makes a module of. */
    size: { type: 'string', default: '8000' },
    /** One module instead of a campaign. */
    file: { type: 'string' },
    keep: { type: 'string', default: 'test-artefacts/fuzz' },
  },
});
const count = { corpus: 0, flow: 0, binaryen: 0, refused: 0, invalid: 0 };

/** Checks one module; one that fails is kept. */
function check(name: string, bytes: Uint8Array, random: Random): void {
  try {
    const outcome = checkModule(bytes, random);
    if (outcome !== 'same') count[outcome] += 1;
  } catch (error) {
    const kept = path.join(values.keep, `${name}.wasm`);
    mkdirSync(values.keep, { recursive: true });
    writeFileSync(kept, bytes);
    throw new Error(`${name}, kept as ${kept}`, { cause: error });
  }
}

async function campaign(first: number): Promise<void> {
  const end = performance.now() + Number(values.seconds) * 1000;
  const last = first + Number(values.modules);
  const generator = new RandomModules();
  try {
    for (let seed = first; seed < last && performance.now() < end; seed += 1) {
      const random = new Random(seed);
      const kind = seed % 4 === 0 ? 'binaryen' : 'flow';
      const bytes =
        kind === 'flow' ? randomFlow(seed) : await generator.make(random, Number(values.size));
      count[kind] += 1;
      check(`seed-${seed}`, bytes, random);
    }
  } finally {
    generator.close();
  }
}

const seed = Number(values.seed);
// Before anything runs: a module that kills the process can then be made again.
process.stdout.write(`fuzzing the guard from seed ${seed} on Node ${process.versions.node}\n`);
try {
  if (values.file !== undefined) {
    check(path.basename(values.file, '.wasm'), readFileSync(values.file), new Random(seed));
  } else {
    for (const { name, bytes } of readCorpus()) {
      count.corpus += 1;
      check(name, bytes, new Random(seed));
    }
    await campaign(seed);
  }
} finally {
  process.stdout.write(`${JSON.stringify(count)}\n`);
}
