/**
 * Every scenario, in the order in which `npm run bench` measures them: those of one plugin together, since
 * their servers stay up, warm, from one to the next.
 */
import { ARTICLE_SCENARIOS } from './article.ts';
import { BODY_SCENARIOS } from './bodies.ts';
import { FRESH_RUST_SCENARIO, FRESH_SCENARIO, HELLO_SCENARIOS } from './hello.ts';
import { LOCK_WAIT_SCENARIO } from './lock-wait.ts';
import { FIXED_RATE_SCENARIO, OVERLOAD_SCENARIO } from './paced.ts';
import type { Scenario } from './scenario.ts';
import { HOST_WAIT_SCENARIO, SLOW_AMONG_QUICK_SCENARIO } from './waiting.ts';

export const SCENARIOS: readonly Scenario[] = [
  ...HELLO_SCENARIOS,
  FIXED_RATE_SCENARIO,
  FRESH_SCENARIO,
  FRESH_RUST_SCENARIO,
  ...BODY_SCENARIOS,
  SLOW_AMONG_QUICK_SCENARIO,
  LOCK_WAIT_SCENARIO,
  OVERLOAD_SCENARIO,
  HOST_WAIT_SCENARIO,
  ...ARTICLE_SCENARIOS,
];

/** @throws Error when there is none of this name. */
export function scenarioNamed(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found === undefined) {
    const known = SCENARIOS.map((scenario) => scenario.name).join(', ');
    throw new Error(`there is no scenario ${name}; there are: ${known}`);
  }
  return found;
}
