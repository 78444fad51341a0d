/** What a scenario says; the list is all-scenarios.ts, the runner is runner/run-scenario.ts. */
import type { Served } from '../contenders.ts';
import type { Traffic } from '../load/traffic.ts';

/**
 * closed: each connection sends its next request on the last one's answer.
 * slowest: a fixed rate for all, this share of what the slowest contender can do.
 * own: a fixed rate for each, this share of what it can do itself.
 */
export type Pace =
  | { readonly kind: 'closed' }
  | { readonly kind: 'slowest' | 'own'; readonly share: number };

/** hey, the article's: so many requests in place of `seconds`, to servers that are cold. wrk: whole seconds. */
export type Tool = { readonly name: 'hey'; readonly requests: number } | { readonly name: 'wrk' };

export interface Scenario {
  readonly name: string;
  /** For tables. */
  readonly title: string;
  readonly served: Served;
  readonly traffic: Traffic;
  /** In its place for servers without a plugin, which answer with the body. */
  readonly bareTraffic?: Traffic;
  readonly connections: number;
  readonly pace: Pace;
  /** Measured seconds of each round. */
  readonly seconds: number;
  readonly rounds: number;
  /** Loads of a second before them, at most; more where a ratio is wanted. Default 2. */
  readonly warmLoads?: number;
  /** By name. */
  readonly contenders: readonly string[];
  /** Those that `--quick` measures; none: the scenario is not part of it. */
  readonly quickContenders: readonly string[];
  /** What sends it in place of our client. Neither looks at a body. */
  readonly tool?: Tool;
  /** Also compares the wait that the client sees with the server's lock-wait histogram. */
  readonly comparesLockWait?: true;
}
