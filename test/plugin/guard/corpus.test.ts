/** Every module of the corpus does the same guarded, and ends when told to; a fuzzing campaign starts with them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkModule } from './check-module.ts';
import { readCorpus } from './corpus.ts';
import { Random } from './random.ts';

const SEEDS = 5;
/** What is called so uses what the guard, or an older V8, does not take. */
const REFUSED = 'refused-';

describe('the corpus', () => {
  const corpus = readCorpus();

  it('is there', () => {
    assert.ok(corpus.length >= 20, `${corpus.length} modules`);
  });

  for (const { name, bytes } of corpus) {
    it(`is right about ${name}`, () => {
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const outcome = checkModule(bytes, new Random(seed));
        assert.equal(outcome !== 'same', name.startsWith(REFUSED), outcome);
      }
    });
  }
});
