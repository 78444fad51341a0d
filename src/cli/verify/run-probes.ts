/**
 * Sends probes in rounds: in each, every connection writes its batch in the same turn, so that the
 * server has as many requests at once as can be. What provokes cross-talk is requests that a server
 * lets through together, and requests without a body, which arrive in one read.
 */

import type { ProbeSet, Verdict } from './probe.ts';
import { ProbeConnection, type ProbeTarget } from './probe-connection.ts';
import type { Reply } from './reply-reader.ts';

export interface ProbeRun {
  readonly target: ProbeTarget;
  readonly probes: ProbeSet;
  readonly connections: number;
  readonly requests: number;
}

export interface Mistake {
  readonly number: number;
  readonly reply: Reply;
}

export interface ProbeFindings {
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** The first few that were wrong. */
  readonly mistakes: readonly Mistake[];
  /** Why requests failed -> how many batches. */
  readonly failures: ReadonlyMap<string, number>;
}

/** Requests in one write of a connection, in turns: simultaneous on all connections, and pipelined. */
const DEPTHS: readonly number[] = [16, 1];
const SHOWN_MISTAKES = 3;

export async function runProbes(run: ProbeRun): Promise<ProbeFindings> {
  const connections = Array.from(
    { length: run.connections },
    () => new ProbeConnection(run.target),
  );
  const verdicts: Record<Verdict, number> = { right: 0, wrong: 0, refused: 0, failed: 0 };
  const mistakes: Mistake[] = [];
  const failures = new Map<string, number>();
  let next = 0;
  const sendBatch = async (connection: ProbeConnection, depth: number): Promise<void> => {
    const first = next;
    const count = Math.min(depth, run.requests - first);
    if (count <= 0) return;
    next += count;
    const numbers = Array.from({ length: count }, (_, index) => first + index);
    const { replies, failure } = await connection.exchange(numbers.map(run.probes.request));
    if (failure !== null) failures.set(failure, (failures.get(failure) ?? 0) + 1);
    for (const [index, reply] of replies.entries()) {
      const number = first + index;
      const verdict = run.probes.judge(number, reply);
      verdicts[verdict]++;
      if (verdict === 'wrong' && reply !== null && mistakes.length < SHOWN_MISTAKES) {
        mistakes.push({ number, reply });
      }
    }
  };
  for (let round = 0; next < run.requests; round++) {
    const depth = DEPTHS[round % DEPTHS.length] ?? 1;
    await Promise.all(connections.map((connection) => sendBatch(connection, depth)));
  }
  for (const connection of connections) connection.close();
  return { verdicts, mistakes, failures };
}
