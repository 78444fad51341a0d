/** Random control flow does the same guarded, and ends when told to. Seeded as malformed.test. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { guardModule } from '../../../src/plugin/guard/guard.ts';
import { checkSameAndBounded, type MakeImports } from './differential.ts';
import { OPTIONS } from './guarded-instance.ts';
import { Random } from './random.ts';
import { randomFlow } from './random-flow.ts';

const SEED = Number(process.env.PLUGIND_FUZZ_SEED ?? 20_261_123);
const MODULES = Number(process.env.PLUGIND_FUZZ_MODULES ?? 150);

const makeImports: MakeImports = (host) => ({
  env: { log: ((value: number) => void host.trace.push(`log ${value}`)) as () => void },
});

describe('random control flow', () => {
  it(`is the same and ends (seeds ${SEED} to ${SEED + MODULES - 1})`, () => {
    for (let seed = SEED; seed < SEED + MODULES; seed += 1) {
      const bytes = randomFlow(seed);
      try {
        assert.ok(
          WebAssembly.validate(Uint8Array.from(bytes)),
          'the generator made no valid module',
        );
        const guarded = guardModule(bytes, OPTIONS);
        checkSameAndBounded(bytes, guarded, makeImports, 'reset', new Random(seed));
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });
});
