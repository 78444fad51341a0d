/** Inputs of examples/slow and what comes out: an input of 100 keeps a core busy for about 1 ms. */
import type { Served } from '../contenders.ts';
import type { MixedPart } from '../load/traffic.ts';

export const SLOW: Served = { plugin: 'slow', functionName: 'slow' };

/** The state of a 64-bit generator after so many times 4,000 rounds; any implementation gives these. */
const ANSWERS = {
  '1': '8158748013917485925',
  '50': '1551906805083854569',
  '100': '13364161416841363667',
  '1000': '11174576140223330467',
} as const;

export function slowPart(input: keyof typeof ANSWERS): MixedPart {
  return { path: '/', body: input, answer: ANSWERS[input] };
}
