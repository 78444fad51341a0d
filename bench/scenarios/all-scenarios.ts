/** Every scenario, in the order in which `npm run bench` measures them. */
import { ARTICLE_SCENARIOS } from './article.ts';
import { BODY_SCENARIOS } from './bodies.ts';
import { HELLO_SCENARIOS } from './hello.ts';
import { LOCK_WAIT_SCENARIO } from './lock-wait.ts';
import { PACED_SCENARIOS } from './paced.ts';
import type { Scenario } from './scenario.ts';
import { WAITING_SCENARIOS } from './waiting.ts';

export const SCENARIOS: readonly Scenario[] = [
  ...HELLO_SCENARIOS,
  ...BODY_SCENARIOS,
  ...PACED_SCENARIOS,
  ...WAITING_SCENARIOS,
  LOCK_WAIT_SCENARIO,
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
