/** What the rounds of one contender amount to, and whether they count at all. */
import type { Contender } from '../contenders.ts';
import type { ContenderReport, LockWait, Round } from './report.ts';
import { spreadOf } from './statistics.ts';

export interface Found {
  readonly rounds: readonly Round[];
  /** Requests that the client sent in each of them; as many as `rounds`. */
  readonly sent: readonly number[];
  readonly deaths: number;
  readonly peakRssBytes: number | null;
  readonly lockWait: LockWait | null;
}

/**
 * Why the rounds of a contender count for nothing; null: they count. The server has to have counted
 * what the client saw: each answer, and no more than was sent.
 */
export function voidReason(contender: Contender, found: Found): string | null {
  if (contender.isUnsafe === true) return null;
  if (found.rounds.length === 0) return 'it was not measured';
  if (found.deaths > 0) return 'it died under load';
  const wrong = found.rounds.reduce((sum, round) => sum + round.wrong, 0);
  if (wrong > 0) return `${wrong} wrong answers`;
  for (const [index, { counted, answered }] of found.rounds.entries()) {
    const sent = found.sent[index] ?? answered;
    if (counted !== null && (counted < answered || counted > sent)) {
      return `the client sent ${sent} and saw ${answered} answers, the server counted ${counted}`;
    }
  }
  return null;
}

export function judgeRounds(contender: Contender, found: Found): ContenderReport {
  const reason = voidReason(contender, found);
  const rounds = reason === null ? found.rounds : [];
  const cpu = rounds.flatMap(({ cpuUsPerRequest }) => cpuUsPerRequest ?? []);
  // A latency of no right answer at all is no latency.
  const answering = rounds.filter(({ ok }) => ok > 0);
  return {
    name: contender.name,
    title: contender.title,
    isUnsafe: contender.isUnsafe === true,
    void: reason,
    deaths: found.deaths,
    rounds: found.rounds,
    requestsPerSecond: spreadOf(rounds.map(({ requestsPerSecond }) => requestsPerSecond)),
    p50Us: spreadOf(answering.map(({ p50Us }) => p50Us)),
    p99Us: spreadOf(answering.map(({ p99Us }) => p99Us)),
    cpuUsPerRequest: spreadOf(cpu),
    peakRssBytes: found.peakRssBytes,
    lockWait: reason === null ? found.lockWait : null,
  };
}
